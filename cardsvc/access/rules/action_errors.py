"""What actions of two refuse, one class a failure."""

from collections.abc import Iterable

from cardsvc.access.rules.acting import ActionState
from cardsvc.errors import CityError, ErrorKind


class NoSuchAction(CityError):
    code = "no_such_action"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such action. Look at the list of actions.")


class UnknownActionKind(CityError):
    code = "unknown_action_kind"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, kind: str) -> None:
        super().__init__(f"Actions of the kind {kind} cannot be proposed here.")


class UnsuitableAction(CityError):
    """The payload does not say what its kind needs; `fields` says what."""

    code = "unsuitable_action"
    kind = ErrorKind.UNPROCESSABLE


class ActionNotOpen(CityError):
    code = "action_not_open"
    kind = ErrorKind.CONFLICT

    def __init__(self, state: ActionState) -> None:
        super().__init__(f"The action is {state.value}: it can no longer be signed. Propose it again if it is needed.")


class NotYourAction(CityError):
    """Of a person whose roles do not let them propose or sign this kind."""

    code = "not_your_action"
    kind = ErrorKind.FORBIDDEN

    def __init__(self, needed: Iterable[str]) -> None:
        super().__init__(f"This action is for others: {', '.join(sorted(needed))}.")


class ProposerSignsFirst(CityError):
    code = "proposer_signs_first"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The proposer signs first, then another person. Ask the proposer to sign it.")


class SameSigner(CityError):
    code = "same_signer"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("You have signed this action. It needs the signature of another person.")


class ProposerGone(CityError):
    code = "proposer_gone"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Whoever proposed this may no longer do so. Withdraw it, and propose it again.")


class NotYourSignature(CityError):
    code = "not_your_signature"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("The signature is not by a key of yours, or not over this action. Sign it with your own card.")
