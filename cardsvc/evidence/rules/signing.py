"""Who signed a record: each authorisation under the key it names, and whether that kind of record takes such ones."""

from collections.abc import Mapping
from typing import Final, Protocol

import cbor2

from cardsvc.evidence.rules.cose import head, signing_prefix, take_apart
from cardsvc.evidence.rules.keybook import KeyBook, NotTheirs, Signing
from cardsvc.evidence.rules.signatures import Signatures
from crypto.errors import MalformedMessage
from crypto.keys import PublicKey
from crypto.wire.passkey import Assertion
from crypto.wire.transaction import RECORD_PURPOSES, Purpose

_PREFIX: Final = {purpose: signing_prefix(purpose.aad) for purpose in RECORD_PURPOSES}
_WHOSE: Final = {purpose: purpose.name.lower() for purpose in Purpose}
_PURPOSES: Final = {int(purpose): purpose for purpose in RECORD_PURPOSES}


class Permits(Protocol):
    """What a kind of record needs to count."""

    @property
    def purposes(self) -> frozenset[int]: ...
    @property
    def terminal_kinds(self) -> frozenset[str]: ...


class Signer:
    """Takes the authorisations of one record after the other and puts their signatures among those to be verified."""

    def __init__(self, book: KeyBook, signatures: Signatures, permits: Mapping[int, Permits], file: str) -> None:
        self._book, self._signatures, self._permits, self._file = book, signatures, permits, file

    def check(
        self, place: int, record_id: bytes, kind: int, record: bytes, authorisations: bytes, signing: Signing
    ) -> None:
        """Raises: NotTheirs, MalformedMessage."""
        given = _read(authorisations)
        if not given:
            raise NotTheirs("nobody authorised it")
        for purpose, message in given:
            where = self._file, place, record_id, _WHOSE[purpose]
            if purpose is Purpose.PASSKEY:
                key, to_be_verified, signature = self._passkey(record, message, signing)
                self._signatures.add(key, to_be_verified, signature, where)
                continue
            kid, payload, signature = take_apart(message)
            if payload is not None:
                raise MalformedMessage("a signature encloses what it signs; here it must stand beside it.")
            key = self._book.signer(purpose, kid, signing)
            self._signatures.add(key, _PREFIX[purpose] + head(len(record)) + record, signature, where)
        if signing.accepted:
            self._permitted(kind, frozenset(purpose for purpose, _ in given), signing)

    def _permitted(self, kind: int, purposes: frozenset[int], signing: Signing) -> None:
        permit = self._permits.get(kind)
        if permit is None:
            return  # a kind of a feature that is gone; who signed it is checked all the same
        if not purposes <= permit.purposes:
            raise NotTheirs("it is not signed as a record of its kind must be")
        if signing.terminal_kind and signing.terminal_kind not in permit.terminal_kinds:
            raise NotTheirs(f"a terminal of kind {signing.terminal_kind} may not send it")

    def _passkey(self, record: bytes, message: bytes, signing: Signing) -> tuple[PublicKey, bytes, bytes]:
        assertion = Assertion.decode(message)
        span, key = self._book.passkey(assertion.kid, signing)
        return key, assertion.to_be_verified(record, origin=span.detail), assertion.signature


def _read(authorisations: bytes) -> list[tuple[Purpose, bytes]]:
    found = cbor2.loads(authorisations)
    if type(found) is not list or cbor2.dumps(found) != authorisations:
        raise MalformedMessage("its authorisations are not in their one encoding.")
    given = []
    for one in found:
        match one:
            case [int(purpose), bytes(message)] if purpose in _PURPOSES:
                given.append((_PURPOSES[purpose], message))
            case _:
                raise MalformedMessage("an authorisation is not a purpose that may stand here and a signature.")
    return given
