"""When two entries may become one, and one of them two again."""

from collections.abc import Sequence
from enum import StrEnum

from cardsvc.errors import CityError, ErrorKind


class PairState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    DISTINCT = "distinct"


class PairNotFound(CityError):
    code = "pair_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No two residents wait for a decision under this number. Ask for the list again.")


class PairDecided(CityError):
    code = "pair_decided"
    kind = ErrorKind.CONFLICT

    def __init__(self, state: PairState) -> None:
        what = "are merged already; part them first" if state is PairState.MERGED else "were found to be two people"
        super().__init__(f"These two residents {what}. Look at their history.")


class SameEntry(CityError):
    code = "same_entry"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("These are one entry already. Name two different residents.")


class AlreadyMerged(CityError):
    code = "already_merged"
    kind = ErrorKind.CONFLICT

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is merged into another resident already. Name that one, or part the two first.")


class NotMerged(CityError):
    code = "not_merged"
    kind = ErrorKind.CONFLICT

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is not merged into anybody, so there is nothing to part.")


class MergeHolds(CityError):
    """`holds` are the things that the entry to be merged still has, in words."""

    code = "merge_holds"
    kind = ErrorKind.CONFLICT

    def __init__(self, number: str, holds: Sequence[str], *, both: bool) -> None:
        first = (
            "The other entry has some too: move the money, pay what is due, withdraw the card order and revoke the "
            "card of one of them first."
            if both
            else "Keep this entry and merge the other one into it."
        )
        super().__init__(f"{number} still has {', '.join(holds)}. {first}")
        self.holds = tuple(holds)


def check_merge(kept: tuple[str, Sequence[str]], folded: tuple[str, Sequence[str]]) -> None:
    """That nothing is lost when the second entry (its number, what it holds) becomes the first.

    Raises: MergeHolds.
    """
    if folded[1]:
        raise MergeHolds(folded[0], folded[1], both=bool(kept[1]))
