"""What a card says of its PIV application when it is selected (SP 800-73-5 Part 2, Table 3)."""

from dataclasses import dataclass

from terminals.card import tlv
from terminals.card.apdu import (
    TAG_ALGORITHMS,
    TAG_APPLICATION_ID,
    TAG_APPLICATION_LABEL,
    TAG_APPLICATION_TEMPLATE,
    TAG_MECHANISM,
)
from terminals.card.errors import MalformedResponse, NotAPivCard


@dataclass(frozen=True, slots=True)
class Application:
    """What SELECT said. `aid` is the form the card accepted; `label` and `algorithms` are empty when it did not say."""

    aid: bytes
    label: str = ""
    algorithms: tuple[int, ...] = ()


def read_application(aid: bytes, data: bytes) -> Application:
    """Raises: NotAPivCard: something else than PIV's template."""
    if not data:  # seen on a card that is PIV all the same
        return Application(aid)
    try:
        items = dict(tlv.decode_all(data))
        if TAG_APPLICATION_TEMPLATE in items:
            items = dict(tlv.decode_all(items[TAG_APPLICATION_TEMPLATE]))
        elif TAG_APPLICATION_ID not in items:  # some leave the template out, but its content is there
            raise NotAPivCard
        mechanisms = tlv.decode_all(items.get(TAG_ALGORITHMS, b""))
    except MalformedResponse:
        raise NotAPivCard from None
    algorithms = tuple(value[0] for tag, value in mechanisms if tag == TAG_MECHANISM and len(value) == 1)
    return Application(aid, items.get(TAG_APPLICATION_LABEL, b"").decode("utf-8", "replace"), algorithms)
