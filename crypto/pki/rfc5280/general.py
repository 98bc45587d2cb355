"""General names (RFC 5280 4.2.1.6): which are well formed, and whether one lies in a subtree (4.2.1.10)."""

import ipaddress
import re

from cryptography import x509

from crypto.errors import UntrustedCertificate

_HOST_MAX = 253  # RFC 1035 2.3.4
# RFC 1123 2.1: letters, digits and hyphens, at most 63 a label
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\Z")
_LOCAL_PART_MAX = 64  # RFC 5321 4.5.3.1.1
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")


def check_names(names: tuple[x509.GeneralName, ...]) -> None:
    """Raises: UntrustedCertificate when one is not a name of its kind, or there are none."""
    if not names:
        raise UntrustedCertificate("A certificate's list of names is empty.")
    for name in names:
        if isinstance(name, x509.DNSName) and not is_host(name.value.removeprefix("*.")):
            raise UntrustedCertificate("A certificate bears a host name that is none.")
        if isinstance(name, x509.RFC822Name) and mail_parts(name.value) is None:
            raise UntrustedCertificate("A certificate bears a mail address that is none.")
        if isinstance(name, x509.IPAddress) and not isinstance(
            name.value, (ipaddress.IPv4Address, ipaddress.IPv6Address)
        ):
            raise UntrustedCertificate("A certificate bears a network where an address must be.")


def is_host(text: str) -> bool:
    return len(text) <= _HOST_MAX and _HOST.match(text.lower()) is not None


def mail_parts(text: str) -> tuple[str, str] | None:
    """The local part as it stands and the host in small letters (RFC 5321 2.4), or None when it is no address."""
    local, at, host = text.rpartition("@")
    if not at or len(local) > _LOCAL_PART_MAX or _LOCAL_PART.match(local) is None or not is_host(host):
        return None
    return local, host.lower()
