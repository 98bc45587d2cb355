"""What the service said about one record, believed only with a receipt that verifies."""

from dataclasses import dataclass
from uuid import UUID

from crypto.errors import CryptoError
from crypto.wire.citykeys import CityKeys
from crypto.wire.reasons import Reason
from crypto.wire.receipt import REJECTED, verify_receipt
from terminals.client import ItemAnswer
from terminals.outbox import Balance
from terminals.station.errors import ReceiptInvalid

# The service logs nothing that it cannot hold anybody to: these refusals alone come without a receipt.
_NOBODYS = frozenset(
    {
        Reason.MALFORMED,
        Reason.UNKNOWN_KIND,
        Reason.WRONG_TERMINAL,
        Reason.RECORD_ID_CONFLICT,
        Reason.UNKNOWN_KEY,
        Reason.MISSING_AUTHORISATION,
        Reason.INVALID_SIGNATURE,
    }
)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The service's answer for one record, its receipt verified."""

    record_id: UUID
    outcome: str
    reason: str | None
    detail: str | None
    receipt: bytes | None
    recorded_at_ms: int | None = None  # by the receipt
    balance: Balance | None = None


def read_result(
    answer: ItemAnswer, sent: UUID, city_keys: CityKeys, answered_at_ms: int | None = None
) -> ItemResult | None:
    """The answer, or None for one that says what only a receipt can say and brings none: the record stays waiting.

    Answers come in the order of the items; one without an id is for an item the service could not read.

    Raises: ReceiptInvalid.
    """
    if answer.record_id not in (None, sent):
        raise ReceiptInvalid("the answers are not in the order of the records")
    recorded_at_ms = None
    if answer.receipt is None:
        if answer.outcome != REJECTED or answer.reason not in _NOBODYS:
            return None
    else:
        try:
            receipt = verify_receipt(answer.receipt, city_keys)
        except CryptoError as error:
            raise ReceiptInvalid(str(error)) from error
        if (receipt.record_id, receipt.outcome, receipt.reason) != (sent, answer.outcome, answer.reason):
            raise ReceiptInvalid("it is another record's, or says otherwise than the answer")
        recorded_at_ms = receipt.recorded_at_ms
    balance = None
    if answer.balance_cents is not None and answered_at_ms is not None:
        balance = Balance(answer.balance_cents, answered_at_ms)
    return ItemResult(sent, answer.outcome, answer.reason, answer.detail, answer.receipt, recorded_at_ms, balance)
