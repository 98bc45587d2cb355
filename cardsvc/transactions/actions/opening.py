"""Opening batches: from bytes to items whose signatures verified. Reads only, so no lock is held and no writer waits.

What is read here may be overtaken before the batch is accepted: a card blocked, a member of staff dismissed, a terminal
revoked. So nothing that can change is believed from here on; `accepting` reads it again under the ledger's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, cards, devices
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions import queries, rules
from cardsvc.transactions.handler import Foreseeing, Handler, Registry
from cardsvc.transactions.queries import Known
from cardsvc.transactions.rules import Claim, DeviceRef, Item, Reason, Received, Rejected
from cardsvc.vault import Vault
from crypto import keys as crypto_keys
from crypto import verifying
from crypto.keys import PublicKey
from crypto.verifying import Verifier
from crypto.wire import batch as wire_batch
from crypto.wire.batch import Batch, Sealed
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
    taken: frozenset[bytes] = frozenset()  # ids that other records had when it was opened
    foreseen: dict[int, Any] = field(default_factory=dict)  # by kind, where a handler foresees


def open_batch(session: Session, raw: bytes, *, desk: Desk) -> Opened:
    """Verify the terminal's signature, and those of the items that were not answered before.

    Raises: UnknownTerminal, TerminalRevoked, MalformedMessage, UnknownVersion, InvalidSignature.
    """
    sealed = wire_batch.read_sealed(raw)
    signed = read_signed(raw, sealed, terminal_key(session, sealed.terminal_id))
    facts = look_up(session, [signed], desk.vault)
    [opened] = judge([signed], facts, desk)
    if isinstance(opened, Exception):
        raise opened
    return opened


@dataclass(frozen=True, slots=True)
class Signed:
    """A batch whose terminal's signature verified, with its items taken apart."""

    batch: Batch
    raw: bytes
    received: tuple[Received, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of a signed batch: its terminal, the items that were answered before, ids that are taken,
    and keys.
    """

    device: devices.Device
    replays: dict[int, Known]
    taken: frozenset[bytes]
    keys: rules.Keys


def terminal_key(session: Session, terminal_id: UUID) -> PublicKey:
    """The terminal's key, which never changes. Raises: UnknownTerminal."""
    device = devices.by_ids(session, [terminal_id]).get(terminal_id)
    if device is None:
        raise UnknownTerminal
    return device.public_key


def read_signed(raw: bytes, sealed: Sealed, key: PublicKey) -> Signed:
    """Take the batch apart once its terminal's signature verified: a stranger costs no more than that.

    Raises: InvalidSignature.
    """
    batch = sealed.open(key)
    return Signed(batch, raw, tuple(rules.read(batch.items, batch.terminal_id)))


def look_up(session: Session, batches: Sequence[Signed], vault: Vault) -> list[Facts]:
    """What is known of each of the batches, read once for all of them."""
    stations = devices.by_ids(session, list({one.batch.terminal_id for one in batches}))
    # asked before the signatures, so that a batch sent again costs none of them
    stored = known(session, [received for one in batches for received in one.received])
    replays = [find_replays(one.received, stored) for one in batches]
    readable = [
        received
        for one, before in zip(batches, replays, strict=True)
        for received in one.received
        if received.transaction is not None and received.position not in before
    ]
    keys = _keys(session, readable, vault)
    taken = frozenset(stored)
    return [
        Facts(stations[one.batch.terminal_id], before, taken, keys)
        for one, before in zip(batches, replays, strict=True)
    ]


def judge(batches: Sequence[Signed], facts: Sequence[Facts], desk: Desk) -> list[Opened | TerminalRevoked]:
    """Verify the signatures of all items, together: this is where a batch spends its time."""
    judged: list[Opened | TerminalRevoked] = []
    for one, fact in zip(batches, facts, strict=True):
        device = fact.device
        if device.status != "enrolled" or _is_left(device, desk.vault):
            judged.append(TerminalRevoked())
            continue
        ref = DeviceRef(device.id, device.kind)
        opened = Opened(one.batch, one.raw, ref, one.received, fact.replays, {}, {}, fact.taken)
        _claim(opened, fact.keys, desk.registry)
        judged.append(opened)
    _verify([one for one in judged if isinstance(one, Opened)], desk.verifier)
    return judged


def foresee(session: Session, opened: Opened, registry: Registry, now: datetime) -> None:
    """Have the handlers work out what they can before the ledger is locked, of the items that may well be planned."""
    by_kind: dict[int, list[Item]] = {}
    seen = set(opened.taken)
    for claim in opened.claims.values():
        item, record_id = claim.item, claim.item.record.record_id.bytes
        if record_id not in seen and check_item(item, registry[item.record.kind], now) is None:
            seen.add(record_id)
            by_kind.setdefault(item.record.kind, []).append(item)
    for kind, items in by_kind.items():
        handler = registry[kind]
        if isinstance(handler, Foreseeing):
            found = handler.foresee(session, items)
            if found is not None:
                opened.foreseen[kind] = found


def check_item(item: Item, handler: Handler, now: datetime) -> Rejected | None:
    """Whether its time can be, and who sends and signs it may: no handler is asked about an item where not."""
    return rules.check_time(item.happened_at, now) or rules.check_permission(
        item, device_kinds=handler.device_kinds, roles=handler.roles
    )


def _is_left(device: devices.Device, vault: Vault) -> bool:
    """Whether it is the portal of a service key that signs no more; the new key's first use revokes it for good."""
    return device.kind == "portal" and crypto_keys.key_id(device.public_key) not in _serving(vault)


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


def _serving(vault: Vault) -> dict[bytes, PublicKey]:
    """The service's key that signs now, by its id: what older ones signed counts where it stands, and they sign nothing
    new.
    """
    current = vault.public_keys("service")[0]
    return {crypto_keys.key_id(current): current}


def _claim(opened: Opened, keys: rules.Keys, registry: Registry) -> None:
    """What every item claims that is neither a replay nor unreadable."""
    readable = [r for r in opened.received if r.transaction is not None and r.position not in opened.replays]
    opened.refused.update({r.position: r.refusal for r in opened.received if r.refusal is not None})
    for received in readable:
        assert received.record is not None
        handler = registry.get(received.record.kind)
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


def _verify(batches: Sequence[Opened], verifier: Verifier) -> None:
    places = [(opened, position) for opened in batches for position in opened.claims]
    refusals = rules.verify([opened.claims[position] for opened, position in places], verifier)
    for (opened, position), refusal in zip(places, refusals, strict=True):
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
        service=_serving(vault) if wanted[Purpose.SERVICE] else {},
        passkeys=access.passkeys_by_key(session, sorted(wanted[Purpose.PASSKEY])),
    )
