"""Certificates of the city: its authorities, cards, terminals and content signers; and the CHUID of a card."""

from crypto.pki.certificates import (
    create_authority,
    create_card_certificate,
    create_content_signer,
    create_root,
    create_terminal_certificate,
    load_certificate,
    to_der,
)
from crypto.pki.chuid import FOREIGN_FASC_N, Chuid, build_chuid, check_chuid_signature, read_chuid, verify_chuid
from crypto.pki.crl import Revoked, VerifiedCrl, check_crl, create_crl
from crypto.pki.face import Face, face_object
from crypto.pki.path import DEPTH_MAX, VerifiedCertificate, verify_chain
from crypto.pki.printed import PrintedInformation, printed_information, read_printed_information
from crypto.pki.profiles import EKU_CONTENT_SIGNING, CardSlot, CertificatePurpose
from crypto.pki.rfc5280 import ANY_POLICY, Limits, PathRules, VerifiedPath, verify_path
from crypto.pki.security_object import check_security_object, security_object

__all__ = [
    "ANY_POLICY",
    "DEPTH_MAX",
    "EKU_CONTENT_SIGNING",
    "FOREIGN_FASC_N",
    "CardSlot",
    "CertificatePurpose",
    "Chuid",
    "Face",
    "Limits",
    "PathRules",
    "PrintedInformation",
    "Revoked",
    "VerifiedCertificate",
    "VerifiedCrl",
    "VerifiedPath",
    "build_chuid",
    "check_chuid_signature",
    "check_crl",
    "check_security_object",
    "create_authority",
    "create_card_certificate",
    "create_content_signer",
    "create_crl",
    "create_root",
    "create_terminal_certificate",
    "face_object",
    "load_certificate",
    "printed_information",
    "read_chuid",
    "read_printed_information",
    "security_object",
    "to_der",
    "verify_chain",
    "verify_chuid",
    "verify_path",
]
