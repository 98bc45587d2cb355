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
from crypto.pki.chuid import FOREIGN_FASC_N, Chuid, build_chuid, read_chuid, verify_chuid
from crypto.pki.path import DEPTH_MAX, VerifiedCertificate, verify_chain
from crypto.pki.profiles import CardSlot, CertificatePurpose

__all__ = [
    "DEPTH_MAX",
    "FOREIGN_FASC_N",
    "CardSlot",
    "CertificatePurpose",
    "Chuid",
    "VerifiedCertificate",
    "build_chuid",
    "create_authority",
    "create_card_certificate",
    "create_content_signer",
    "create_root",
    "create_terminal_certificate",
    "load_certificate",
    "read_chuid",
    "to_der",
    "verify_chain",
    "verify_chuid",
]
