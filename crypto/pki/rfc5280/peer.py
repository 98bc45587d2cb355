"""Whether a leaf bears the name it is asked for (RFC 9525 for hosts; addresses and mail addresses exactly)."""

from cryptography import x509

from crypto.errors import UntrustedCertificate
from crypto.pki.rfc5280.facts import Facts
from crypto.pki.rfc5280.general import is_host, mail_parts

_WILDCARD_LABELS_MIN = 2  # below the wildcard: a whole top-level domain is nobody's


def check_name(facts: Facts, wanted: x509.GeneralName) -> None:
    """Only subject alternative names count, never the subject. Raises: UntrustedCertificate."""
    if not any(_matches(name, wanted) for name in facts.names or ()):
        raise UntrustedCertificate("The certificate does not bear the name that is asked for.")


def _matches(name: x509.GeneralName, wanted: x509.GeneralName) -> bool:
    match name, wanted:
        case x509.DNSName(), x509.DNSName():
            return is_host(wanted.value) and _host_matches(name.value.lower(), wanted.value.lower())
        case x509.RFC822Name(), x509.RFC822Name():
            return mail_parts(wanted.value) is not None and mail_parts(name.value) == mail_parts(wanted.value)
    return name == wanted


def _host_matches(name: str, wanted: str) -> bool:
    """RFC 9525 6.3: a wildcard is the whole leftmost label and stands for exactly one."""
    if not name.startswith("*."):
        return name == wanted
    below = name.removeprefix("*.")
    return below.count(".") + 1 >= _WILDCARD_LABELS_MIN and wanted.partition(".")[2] == below
