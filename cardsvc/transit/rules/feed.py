"""What the books need of a feed that is the city's tariff: flat fares and who earns what; why none was taken."""

from dataclasses import dataclass
from typing import ClassVar, Final

from cardsvc.errors import CityError, ErrorKind

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
ERRORS_SHOWN: Final = 100
TRANSIT_CARD: Final = "2"  # fare_media_type
SOLE_AGENCY: Final = "main"  # the reference lets a feed's only agency go without an id


class InvalidFeed(CityError):
    """The feed was not taken; `fields` names files and rows (row 1 is the first under the heading)."""

    code: ClassVar[str] = "invalid_feed"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


@dataclass(frozen=True, slots=True)
class Fare:
    """One flat fare: a ride anywhere on a network. `rider_category` is "" for everybody."""

    network_id: str
    rider_category: str
    product_id: str
    amount_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Stop:
    stop_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Network:
    """A network and the agency that earns its fares."""

    network_id: str
    name: str
    agency_id: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as the city's tariff. `default_category` is the rider category of a person without another; `payers` are
    the programmes that pay for concessions, `pools` the passes on sale that are good at several operators.
    """

    networks: tuple[Network, ...]
    stops: tuple[Stop, ...]
    fares: tuple[Fare, ...]
    default_category: str
    payers: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()


def raise_wrong(wrong: dict[str, list[str]]) -> None:
    """Raises: InvalidFeed, if there is any wrong place."""
    if wrong:
        places = "1 place" if len(wrong) == 1 else f"{len(wrong)} places"
        verb = "is" if len(wrong) == 1 else "are"
        shown = dict(list(wrong.items())[:ERRORS_SHOWN])
        raise InvalidFeed(f"{places} of the feed {verb} wrong; nothing was taken.", fields=shown)
