"""Whose keys there are: the city's statements opened, the cards' certificates under the stated authorities."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography import x509

from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.keybook import BLOCKED, CardKey, KeyBook, Span, Step, steady
from cardsvc.evidence.rules.results import Judged
from crypto import keys, pki
from crypto.errors import CryptoError, MalformedMessage
from crypto.pki import CardSlot, CertificatePurpose
from crypto.wire.citykeys import CityKeys
from crypto.wire.evidence import KeyStatement, KeyUse, open_statement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLOTS = {"9A": CardSlot.AUTHENTICATION, "9C": CardSlot.SIGNATURE, "9E": CardSlot.CARD_AUTH}


class Holders:
    """Reads the stated keys, then the cards; the book that comes of both is what the journal is judged by."""

    def __init__(self, city_keys: CityKeys) -> None:
        self._city_keys = city_keys
        self.book = KeyBook()
        self.authorities: list[x509.Certificate] = []

    def read_statements(self, file: File) -> Judged:
        """The authorities stand first, so that a terminal's certificate finds its own."""
        judged = Judged(file.name, 0)
        terminal_authorities: list[x509.Certificate] = []
        for place, fields in file.rows(tables.KEYS, 0, judged.findings):
            if fields is None:
                judged.unread += 1
                continue
            _, key_id, statement, certificate = fields
            try:
                stated = open_statement(bytes.fromhex(statement), self._city_keys)
                judged.counts.signatures += 1
                if stated.use == KeyUse.TERMINAL_AUTHORITY:
                    terminal_authorities.append(pki.load_certificate(stated.key))
                if keys.key_id(self._take(stated)).hex() != key_id:
                    raise MalformedMessage("The statement is about another key than the line.")
                if certificate and not judged.unread:
                    _check_terminal(bytes.fromhex(certificate), stated, terminal_authorities)
                    judged.counts.signatures += 1
                    judged.counts.certificates += 1
            except (CryptoError, ValueError) as error:
                judged.findings.append(Finding(file.name, place, f"key {key_id}", "statement", str(error)))
        judged.counts.keys = file.data.count(b"\n") - 1
        return judged

    def _take(self, stated: KeyStatement) -> keys.PublicKey:
        if stated.use in (KeyUse.CARD_AUTHORITY, KeyUse.TERMINAL_AUTHORITY):
            authority = pki.load_certificate(stated.key)
            if stated.use == KeyUse.CARD_AUTHORITY:
                self.authorities.append(authority)
            key = authority.public_key()
            if not keys.is_accepted(key):
                raise MalformedMessage("The authority's key is of a kind that does not count.")
            return key
        public = keys.load_spki(stated.key)
        key_id = keys.key_id(public)
        holder = b"" if stated.holder_id is None else stated.holder_id.hex.encode()
        span = Span(holder, stated.key, stated.from_ms, stated.until_ms, stated.detail or "")
        match stated.use:
            case KeyUse.SERVICE:
                self.book.service[key_id] = span
            case KeyUse.TERMINAL:
                self.book.terminals[holder] = span
            case KeyUse.STAFF:
                self.book.staff.setdefault(key_id, []).append(span)
            case KeyUse.PASSKEY:
                self.book.passkeys[key_id] = span
        return public

    def read_cards(self, file: File, first: int) -> Judged:
        """The cards of a file into the book. Their certificates are `check_certificates`' affair."""
        judged = Judged(file.name, first)
        for place, fields in file.rows(tables.CARDS, first, judged.findings):
            if fields is None:
                judged.unread += 1
                continue
            _, key_id, card_id, resident_id, slot, active, not_after, certificate, state, blocked_at, history = fields
            name = f"card {card_id}"
            try:
                steps = _history(history)
                _check_state(steps, state, int(blocked_at) if blocked_at else None)
                self.book.cards[bytes.fromhex(key_id)] = CardKey(
                    card_id.encode(),
                    resident_id.encode(),
                    slot,
                    active == "1",
                    int(not_after),
                    bytes.fromhex(certificate),
                    steps,
                    steady(steps),
                )
            except ValueError as error:
                judged.findings.append(Finding(file.name, place, name, "card", f"it does not hold: {error}"))
        judged.counts.cards = file.data.count(b"\n") - 1
        return judged


def check_certificates(file: File, first: int, authorities: Sequence[x509.Certificate]) -> Judged:
    """Every certificate of the file is of the city, for the card and slot and until the moment that the line says."""
    judged = Judged(file.name, first)
    unseen: list[Finding] = []  # what is wrong with the lines themselves is said by who read the cards
    for place, fields in file.rows(tables.CARDS, first, unseen):
        if fields is None:
            continue
        _, key_id, card_id, _, slot, _, not_after, certificate, _, _, _ = fields
        try:
            loaded = pki.load_certificate(bytes.fromhex(certificate))
            at = loaded.not_valid_before_utc
            verified = pki.verify_chain(loaded, authorities, at, _SLOTS[slot].purpose)
            judged.counts.signatures += 1
            judged.counts.certificates += 1
            says = verified.bearer_id, keys.key_id(verified.public_key).hex(), _ms(loaded.not_valid_after_utc)
            if says != (UUID(card_id), key_id, int(not_after)):
                raise MalformedMessage("It is of another card, key or last day than the line.")
        except (CryptoError, ValueError, KeyError) as error:
            judged.findings.append(Finding(file.name, place, f"key {key_id}", "certificate", str(error)))
    return judged


def _check_terminal(data: bytes, stated: KeyStatement, authorities: Sequence[x509.Certificate]) -> None:
    """Raises: MalformedMessage, UntrustedCertificate."""
    certificate = pki.load_certificate(data)
    at = certificate.not_valid_before_utc
    verified = pki.verify_chain(certificate, authorities, at, CertificatePurpose.TERMINAL)
    if verified.bearer_id != stated.holder_id or keys.spki(verified.public_key) != stated.key:
        raise MalformedMessage("The certificate is of another terminal or key than the statement.")


def _history(field: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for step in field.split(" ") if field else ():
        at, _, state = step.partition(":")
        # where a clock was set back, a state begins no earlier than the one before it
        steps.append(Step(max(int(at), steps[-1].began if steps else 0), int(at), state))
    if not steps:
        raise ValueError("the card has no history")
    return tuple(steps)


def _check_state(steps: tuple[Step, ...], state: str, blocked_at: int | None) -> None:
    if steps[-1].state != state:
        raise ValueError(f"its history ends with {steps[-1].state}, and it is kept as {state}")
    blocked: int | None = None
    for step in steps:
        blocked = (step.at if blocked is None else blocked) if step.state in BLOCKED else None
    if blocked != blocked_at:
        raise ValueError("the moment it was stopped is not the one of its history")


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
