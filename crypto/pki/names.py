"""Distinguished names as RFC 5280 7.1 compares them: by their prepared text, whatever the string type."""

import unicodedata
from typing import TypeAlias

from cryptography import x509
from cryptography.x509.oid import NameOID

# one relative distinguished name: its attributes, prepared, in no order
PreparedRdn: TypeAlias = frozenset[tuple[str, str | bytes]]
PreparedName: TypeAlias = tuple[PreparedRdn, ...]


def prepare(name: x509.Name) -> PreparedName:
    """Two names are the same exactly when they are prepared to the same value."""
    return tuple(frozenset((item.oid.dotted_string, _prepare_text(item.value)) for item in rdn) for rdn in name.rdns)


def mail_addresses(name: x509.Name) -> list[str]:
    """The mail addresses inside a distinguished name (RFC 5280 4.1.2.6: old, still met, and constrained)."""
    return [str(item.value) for item in name.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]


def _prepare_text(value: str | bytes) -> str | bytes:
    """RFC 4518 2 as far as it decides sameness: case folded, composed (NFKC), outer blanks off, inner ones single."""
    if isinstance(value, bytes):
        return value
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return " ".join(folded.split())
