"""What the service said about one record, believed only with a receipt that verifies."""

from dataclasses import dataclass
from uuid import UUID

from crypto.errors import CryptoError
from crypto.wire.citykeys import CityKeys
from crypto.wire.receipt import verify_receipt
from terminals.client import ItemAnswer
from terminals.station.errors import ReceiptInvalid


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The service's answer for one record, its receipt verified."""

    record_id: UUID
    outcome: str
    reason: str | None
    detail: str | None
    receipt: bytes | None


def read_result(answer: ItemAnswer, sent: UUID, city_keys: CityKeys) -> ItemResult:
    """Answers come in the order of the items; one without an id is for an item the service could not read.

    Raises: ReceiptInvalid.
    """
    if answer.record_id not in (None, sent):
        raise ReceiptInvalid("the answers are not in the order of the records")
    if answer.receipt is not None:
        try:
            receipt = verify_receipt(answer.receipt, city_keys)
        except CryptoError as error:
            raise ReceiptInvalid(str(error)) from error
        if (receipt.record_id, receipt.outcome) != (sent, answer.outcome):
            raise ReceiptInvalid("it is another record's, or says otherwise than the answer")
    return ItemResult(sent, answer.outcome, answer.reason, answer.detail, answer.receipt)
