"""Opening batches: from bytes to items whose signatures verified. Reads only, so no lock is held and no writer waits.

What is read here may be overtaken before the batch is accepted: a card blocked, a member of staff dismissed, a terminal
revoked. So nothing that can change is believed from here on; `accepting` reads it again under the ledger's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from cardsvc import access, cards, devices
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions import queries, rules
from cardsvc.transactions.handler import Registry
from cardsvc.transactions.queries import Known
from cardsvc.transactions.rules import Claim, DeviceRef, Reason, Received, Rejected
from cardsvc.vault import Vault
from crypto import keys as crypto_keys
from crypto import verifying
from crypto.verifying import Verifier
from crypto.wire import batch as wire_batch
from crypto.wire.batch import Batch
from crypto.wire.transaction import Purpose

_PORTABLE = verifying.Portable()
_CARDS = frozenset({Purpose.PRESENCE, Purpose.CONSENT})


class UnknownTerminal(CityError):
    code: ClassVar[str] = "unknown_terminal"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("This city has not enrolled that terminal. Ask the administrator for an enrolment code.")


class TerminalRevoked(CityError):
    code: ClassVar[str] = "terminal_revoked"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This terminal was taken out of service. Bring it to the administrator; its records are kept.")


@dataclass(frozen=True, slots=True)
class Desk:
    """What accepting needs besides the database: who handles which kind, the city's keys, fresh salts, and what
    verifies the signatures of many items.
    """

    registry: Registry
    vault: Vault
    random_bytes: Callable[[int], bytes]
    verifier: Verifier = _PORTABLE


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch that its terminal signed. Each item, by its position, is a replay, a claim that verified, or refused."""

    batch: Batch
    raw: bytes
    device: DeviceRef
    received: tuple[Received, ...]
    replays: dict[int, Known]
    claims: dict[int, Claim]
    refused: dict[int, Rejected]


def open_batch(session: Session, raw: bytes, *, desk: Desk) -> Opened:
    """Verify the terminal's signature, and those of the items that were not answered before.

    Raises: UnknownTerminal, TerminalRevoked, MalformedMessage, UnknownVersion, InvalidSignature.
    """
    sealed = wire_batch.read_sealed(raw)
    device = devices.by_ids(session, [sealed.terminal_id]).get(sealed.terminal_id)
    if device is None:
        raise UnknownTerminal
    batch = sealed.open(device.public_key)
    if device.status != "enrolled":
        raise TerminalRevoked
    received = tuple(rules.read(batch.items, device.id))
    # asked before the signatures, so that a batch sent again costs none of them
    replays = find_replays(received, known(session, received))
    opened = Opened(batch, raw, DeviceRef(device.id, device.kind), received, replays, {}, {})
    _claim(session, opened, desk)
    _verify(opened, desk.verifier)
    return opened


def known(session: Session, received: Sequence[Received]) -> dict[bytes, Known]:
    """What is stored under the ids of these items' records, by the id's bytes."""
    ids = [r.record.record_id for r in received if r.record is not None and r.refusal is None]
    return {record_id.bytes: found for record_id, found in queries.known(session, ids).items()}


def find_replays(received: Sequence[Received], found: dict[bytes, Known]) -> dict[int, Known]:
    """Those of the items that were answered before, by position."""
    if not found:
        return {}
    replays: dict[int, Known] = {}
    for one in received:
        if one.record is not None and one.refusal is None:
            before = found.get(one.record.record_id.bytes)
            if before is not None and before.record_hash == one.record_hash:
                replays[one.position] = before
    return replays


def _claim(session: Session, opened: Opened, desk: Desk) -> None:
    """What every item claims that is neither a replay nor unreadable."""
    readable = [r for r in opened.received if r.transaction is not None and r.position not in opened.replays]
    keys = _keys(session, readable, desk.vault)
    opened.refused.update({r.position: r.refusal for r in opened.received if r.refusal is not None})
    for received in readable:
        assert received.record is not None
        handler = desk.registry.get(received.record.kind)
        if handler is None:
            opened.refused[received.position] = Rejected(
                Reason.UNKNOWN_KIND, f"This city knows no record of kind {received.record.kind}. Update the terminal."
            )
            continue
        claim = rules.claim(received, device=opened.device, keys=keys, purposes=handler.purposes, body=handler.body)
        if isinstance(claim, Rejected):
            opened.refused[received.position] = claim
        else:
            opened.claims[received.position] = claim


def _verify(opened: Opened, verifier: Verifier) -> None:
    positions = list(opened.claims)
    refusals = rules.verify([opened.claims[position] for position in positions], verifier)
    for position, refusal in zip(positions, refusals, strict=True):
        if refusal is not None:
            opened.refused[position] = refusal
            del opened.claims[position]


def _keys(session: Session, readable: Sequence[Received], vault: Vault) -> rules.Keys:
    wanted: dict[Purpose, set[bytes]] = {purpose: set() for purpose in Purpose}
    for received in readable:
        assert received.transaction is not None
        for authorisation, kid in zip(received.transaction.authorisations, received.kids, strict=True):
            wanted[authorisation.purpose].add(kid)
    return rules.Keys(
        cards=cards.keys_by_id(session, sorted(wanted[Purpose.PRESENCE] | wanted[Purpose.CONSENT])),
        staff=access.staff_by_key(session, sorted(wanted[Purpose.STAFF])),
        service={crypto_keys.key_id(key): key for key in vault.public_keys("service")}
        if wanted[Purpose.SERVICE]
        else {},
        passkeys=access.passkeys_by_key(session, sorted(wanted[Purpose.PASSKEY])),
    )
