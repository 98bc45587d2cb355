"""A terminal of these tests: its key, what it takes, and what the city answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from crypto import keys
from crypto.wire.batch import open_batch
from crypto.wire.transaction import Authorisation, Purpose, Record, Transaction, authorise
from crypto.wire.transit import Tap
from terminals.outbox import Balance, Identity, Outbox, Stored
from terminals.settings import TerminalKind

CARD = keys.SoftwareSigner.from_secret(7)
CARD_ID = UUID("11111111-1111-4111-8111-111111111111")
TERMINAL = Identity(
    UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    TerminalKind.VALIDATOR,
    "gate",
    keys.SoftwareSigner.from_secret(8),
    b"",
    "",
)
NOON = 1_790_000_000_000
TAP = Tap("city", "stop-1", "flat", 1300, "PHP", 1, 1)


def presence(record: bytes) -> Sequence[Authorisation]:
    return (authorise(record, Purpose.PRESENCE, CARD),)


@dataclass(frozen=True)
class Answer:
    record_id: UUID
    outcome: str = "accepted"
    reason: str | None = None
    detail: str | None = None
    receipt: bytes | None = b"receipt"
    balance: Balance | None = None


def tap(outbox: Outbox, *, at_ms: int = NOON, intent: str | None = None) -> Stored:
    return outbox.append(TAP, at_ms=at_ms, authorise=presence, intent=intent, subject=CARD_ID)


def chain(outbox: Outbox) -> list[Record]:
    signed = outbox.batch(now_ms=NOON, policy_number=1)
    assert signed
    opened = open_batch(signed.content, TERMINAL.signer.public_key)
    return [Record.decode(Transaction.decode(item).record_bytes) for item in opened.items]
