"""What can be wrong with the log, one class each."""

from cardsvc.errors import CityError, ErrorKind

_NEXT = (
    "Restore the newest copy of the database; where there is none, two people state the loss: ./city log recover. "
    "Nothing is signed until then."
)
_NEXT_FILE = (
    "Put back the newest /log/checkpoint that anybody has. Where nobody has one, two people state that the database is "
    "the newest: ./city log recover --same-log. Nothing is signed until then."
)


class LogBehindCheckpoint(CityError):
    """What is stored is not what was signed and handed out: most likely a backup was restored."""

    code = "log_behind_checkpoint"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, signed_size: int, stored_size: int) -> None:
        super().__init__(
            f"The log has {stored_size} leaves and does not continue the signed checkpoint of {signed_size}. {_NEXT}"
        )


class KeptHeadMissing(CityError):
    """Checkpoints were published, and the file outside the database that keeps the last one is not there."""

    code = "kept_head_missing"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, place: str) -> None:
        super().__init__(f"{place}, the last signed checkpoint outside the database, is missing. {_NEXT_FILE}")


class KeptHeadUnreadable(CityError):
    code = "kept_head_unreadable"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            f"{place}, the last signed checkpoint outside the database, cannot be used ({problem}). {_NEXT_FILE}"
        )


class NothingLost(CityError):
    code = "log_nothing_lost"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The log continues the last signed checkpoint: there is nothing to recover from.")


class LostHeadKnown(CityError):
    """The same log cannot go on: somebody holds a signed head that it would contradict."""

    code = "log_lost_head_known"
    kind = ErrorKind.CONFLICT

    def __init__(self, size: int) -> None:
        super().__init__(
            f"A signed checkpoint of {size} leaves is known that this database does not continue. The log must go on "
            "under another name: leave --same-log away."
        )


class WitnessesUnreadable(CityError):
    code = "witnesses_unreadable"

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"CITY_WITNESSES names {place}, which cannot be used: {problem}")


class NoWitnesses(CityError):
    code = "no_witnesses"

    def __init__(self) -> None:
        super().__init__("No witness is configured. Let CITY_WITNESSES name a file of them (docs/cardsvc-audit.md).")


class NotInLog(CityError):
    code = "not_in_log"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, problem: str) -> None:
        super().__init__(f"The log cannot prove this: {problem}.")


class LogBroken(CityError):
    """The stored log contradicts itself, its signed checkpoints, or the records that it stands for."""

    code = "log_broken"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"The log is broken: {problem}. Stop the service and compare with the last backup.")
