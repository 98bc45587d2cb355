"""Name constraints along a path (RFC 5280 4.2.1.10 and 6.1.3 b, c): whatever is constrained must lie inside."""

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import urlsplit

from cryptography import x509

from crypto.errors import UntrustedCertificate
from crypto.pki.names import PreparedName, mail_addresses, prepare
from crypto.pki.rfc5280.facts import Facts
from crypto.pki.rfc5280.general import is_host, mail_parts
from crypto.pki.rfc5280.rules import Budget

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Kind: TypeAlias = type[x509.GeneralName]
# what a name or the base of a subtree is once prepared; None for kinds that are not compared here
Prepared: TypeAlias = PreparedName | str | tuple[str, str] | Network | Address | None


class Constraints:
    """The subtrees collected so far. Every layer of permitted ones must hold by itself, which is their intersection."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._permitted: list[dict[Kind, list[Prepared]]] = []
        self._excluded: dict[Kind, list[Prepared]] = {}

    def add(self, constraints: x509.NameConstraints) -> None:
        """Raises: UntrustedCertificate for a subtree whose base is malformed."""
        if constraints.permitted_subtrees:
            self._permitted.append(_by_kind(constraints.permitted_subtrees))
        for kind, bases in _by_kind(constraints.excluded_subtrees or ()).items():
            self._excluded.setdefault(kind, []).extend(bases)

    def check(self, facts: Facts) -> None:
        """Raises: UntrustedCertificate for a name outside, TooMuchWork."""
        if not self._permitted and not self._excluded:
            return
        if facts.subject:
            self._check_name(x509.DirectoryName, facts.subject)
        for address in mail_addresses(facts.certificate.subject):
            self._check_name(x509.RFC822Name, mail_parts(address))
        for name in facts.names or ():
            self._check_name(type(name), _prepare_name(name))

    def _check_name(self, kind: Kind, name: Prepared) -> None:
        for layer in self._permitted:
            if kind in layer and not self._any_holds(kind, layer[kind], name, permits=True):
                raise UntrustedCertificate("A certificate bears a name that an authority above it is not permitted.")
        if kind in self._excluded and self._any_holds(kind, self._excluded[kind], name, permits=False):
            raise UntrustedCertificate("A certificate bears a name that an authority above it excludes.")

    def _any_holds(self, kind: Kind, bases: list[Prepared], name: Prepared, *, permits: bool) -> bool:
        """A name that cannot be compared is not within what is permitted, and within what is excluded."""
        self._budget.compare(len(bases))
        if name is None:
            return not permits
        return any(_within(kind, base, name, wholly=permits) for base in bases)


def _by_kind(bases: Iterable[x509.GeneralName]) -> dict[Kind, list[Prepared]]:
    layer: dict[Kind, list[Prepared]] = {}
    for base in bases:
        layer.setdefault(type(base), []).append(_prepare_base(base))
    return layer


def _prepare_base(base: x509.GeneralName) -> Prepared:
    """None for a kind that is not compared here: whoever bears such a name is refused."""
    prepared: Prepared = None
    match base:
        case x509.DirectoryName():
            return prepare(base.value)
        case x509.IPAddress():
            prepared = base.value
        case x509.DNSName() if not base.value or is_host(base.value):
            prepared = base.value.lower()
        case x509.RFC822Name() if (parts := mail_parts(base.value)) is not None:
            prepared = parts
        case x509.RFC822Name() | x509.UniformResourceIdentifier() if is_host(base.value.removeprefix(".")):
            prepared = base.value.lower()
        case x509.DNSName() | x509.RFC822Name() | x509.UniformResourceIdentifier() if base.value:
            raise UntrustedCertificate("A name constraint of the path is malformed.")
        case x509.RFC822Name() | x509.UniformResourceIdentifier():
            prepared = ""
    return prepared


def _prepare_name(name: x509.GeneralName) -> Prepared:
    match name:
        case x509.DirectoryName():
            return prepare(name.value)
        case x509.DNSName():
            return name.value.lower()
        case x509.RFC822Name():
            return mail_parts(name.value)
        case x509.UniformResourceIdentifier():
            return _uri_host(name.value)
        case x509.IPAddress() if isinstance(name.value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
            return name.value
    return None


def _uri_host(text: str) -> str | None:
    """The host name of a URI. One without, or with an address, cannot be held to a constraint (4.2.1.10)."""
    try:
        host = urlsplit(text).hostname
    except ValueError:
        return None
    if host is None or not is_host(host) or host.rpartition(".")[2].isdigit():
        return None
    return host


def _within(kind: Kind, base: Prepared, name: Prepared, *, wholly: bool) -> bool:
    """`wholly`: all that a wildcard stands for must lie inside; otherwise a part of it suffices."""
    if isinstance(base, str):
        host = name[1] if isinstance(name, tuple) else name
        if kind is x509.DNSName:
            return _dns_within(base, str(host), wholly=wholly)
        return _host_within(base, str(host))
    if isinstance(base, tuple) and isinstance(name, tuple):
        return base == (name[: len(base)] if kind is x509.DirectoryName else name)
    if isinstance(base, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return isinstance(name, ipaddress.IPv4Address | ipaddress.IPv6Address) and name in base
    return False


def _dns_within(base: str, name: str, *, wholly: bool) -> bool:
    """The base itself and whatever has more labels to its left; the empty base holds everything."""
    suffix = name.removeprefix("*.")
    if not base or suffix == base or suffix.endswith("." + base):
        return True
    return not wholly and suffix != name and base.partition(".")[2] == suffix


def _host_within(base: str, host: str) -> bool:
    """For mail and URIs: a base with a dot in front holds what is below it, one without only itself."""
    return not base or (host.endswith(base) if base.startswith(".") else host == base)
