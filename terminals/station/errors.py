"""What can go wrong between a terminal, its policy and the card before it."""

from typing import ClassVar


class StationError(Exception):
    """Base of what this package raises. `code` is stable; the message is one sentence for a person."""

    code: ClassVar[str] = "station_error"


class OtherKind(StationError):
    """The home folder is of a terminal of another kind: its records would be refused."""

    code = "terminal_of_another_kind"

    def __init__(self, enrolled: str, wanted: str) -> None:
        super().__init__(f"This home is a {enrolled}'s, not a {wanted}'s; name another with --home.")


class NoPolicy(StationError):
    code = "no_policy"

    def __init__(self) -> None:
        super().__init__("This terminal has no policy yet; connect it to the network once, so that it can fetch one.")


class PolicyTooOld(StationError):
    """`age_ms` since the policy was issued. Cards blocked since then are not known here, so the terminal stops."""

    code = "policy_too_old"

    def __init__(self, age_ms: int) -> None:
        super().__init__("This terminal has been without news from the city for too long; connect it to the network.")
        self.age_ms = age_ms


class NoDenyList(StationError):
    """The list here is number `held` (0 for none), the policy names `needed`: what was blocked since is not known."""

    code = "no_deny_list"

    def __init__(self, held: int, needed: int) -> None:
        super().__init__("This terminal lacks the city's list of blocked cards; connect it to the network.")
        self.held = held
        self.needed = needed


class DenyListRefused(StationError):
    """What the service sent as its deny list was not taken. The list here stays, and so does the policy."""

    code = "deny_list_refused"

    sentence = "The service's list of blocked cards was not taken; if it happens again, report this terminal."

    def __init__(self, reason: str) -> None:
        super().__init__(self.sentence)
        self.reason = reason


class MassDenial(DenyListRefused):
    """The new list blocks `added` cards more than the one here, at once and for no reason that two people signed. The
    list here stays, and its age limits run on; whoever knows of the decision takes list `number` in by hand.
    """

    code = "mass_denial"

    def __init__(self, added: int, number: int) -> None:
        self.sentence = (
            f"The city's list {number} blocks {added} more cards at once without a signed reason, so it was held back; "
            f"ask the city, then run `./city validator sync --take-list {number}`."
        )
        super().__init__(f"it blocks {added} more cards at once, without a reason that two people signed")
        self.added = added
        self.number = number


class ClockBehind(StationError):
    code = "clock_behind"

    def __init__(self) -> None:
        super().__init__("This terminal's clock is behind the city's; set the clock, then try again.")


class ForeignCard(StationError):
    """A PIV card, but not one of this city, or one whose time is over. `reason` is for the staff."""

    code = "foreign_card"

    def __init__(self, reason: str) -> None:
        super().__init__("This is not a valid card of this city; use the card the city issued.")
        self.reason = reason


class CardDenied(StationError):
    code = "card_denied"

    def __init__(self) -> None:
        super().__init__("This card is blocked; please go to a city counter.")


class AnotherCard(StationError):
    code = "another_card"

    def __init__(self) -> None:
        super().__init__("This is another card than before; put the first card back, or start again.")


class ReceiptInvalid(StationError):
    """The service's receipt does not verify under the city's keys. The record stays waiting."""

    code = "receipt_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("The service's receipt does not verify, so nothing was marked as done; report this terminal.")
        self.reason = reason
