"""Opening a card for personalisation, whoever made it: its own key, its batch's, a factory's; then a key of its own.

No key is tried that the card has no algorithm for, and none more where the card says that its tries run out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from terminals.card import (
    CardError,
    Condition,
    Interface,
    ManagementAlgorithm,
    NotAllowed,
    PivSession,
    ProductUnsupported,
    WrongManagementAlgorithm,
    WrongManagementKey,
)
from terminals.client import Instructions
from terminals.counter.secret import Intake

Begin = Callable[[ManagementAlgorithm | None], Instructions]
"""Begins an attempt at the service, for a management key of this algorithm; None for the city's usual one."""


class KeyState(StrEnum):
    """What became of the card's management key."""

    DIVERSIFIED = "diversified"
    KEPT = "kept"  # the product cannot replace it, and this is no production


@dataclass(frozen=True, slots=True)
class Unlocked:
    """An open card. `begun_before`: it had its own key already, from an earlier attempt."""

    instructions: Instructions
    product: str
    algorithm: ManagementAlgorithm
    key: KeyState = KeyState.DIVERSIFIED
    begun_before: bool = False


def check_position(session: PivSession) -> None:
    """Raises: NotAllowed: the card lies on a contactless reader; nothing of this is done there (Part 1, Table 4a)."""
    if session.interface is Interface.CONTACTLESS:
        raise NotAllowed("to be personalised", Condition.CONTACT)


def unlock(session: PivSession, begin: Begin, intake: Intake) -> Unlocked:
    """Authenticate 9B and leave the card's own key in it; where the product cannot and it may, the key it has.

    Raises: WrongManagementKey. ProductUnsupported: refuse it at intake; nothing was changed.
    """
    instructions = begin(None)
    keyring, usual = _Keyring(session), ManagementAlgorithm.of(instructions.algorithm)
    if keyring.opens(instructions.management_key, usual):
        return Unlocked(instructions, session.product().name, usual, begun_before=True)
    present = keyring.first_of(intake)
    if present is not None:
        return _take_over(session, begin, intake, instructions, present)
    # An earlier attempt may have left the card's own key in an algorithm that is not the usual one.
    for other in keyring.offered - {usual}:
        instructions = begin(other)
        if keyring.opens(instructions.management_key, other):
            return Unlocked(instructions, session.product().name, other, begun_before=True)
    raise keyring.failure


def _take_over(
    session: PivSession, begin: Begin, intake: Intake, instructions: Instructions, present: ManagementAlgorithm
) -> Unlocked:
    product, usual = session.product(), ManagementAlgorithm.of(instructions.algorithm)
    try:
        session.set_management_key(product, instructions.management_key, usual)
        return Unlocked(instructions, product.name, usual)
    except ProductUnsupported as unsupported:
        refused = unsupported
    if product.can_replace and present is not usual and not intake.production:
        # A product that has the command and not this cipher: a key of its own in the one it has.
        instructions = begin(present)
        try:
            session.set_management_key(product, instructions.management_key, present)
            return Unlocked(instructions, product.name, present)
        except ProductUnsupported as unsupported:
            refused = unsupported
    if not intake.may_keep_key:
        raise refused
    return Unlocked(instructions, product.name, present, KeyState.KEPT)


class _Keyring:
    """Tries keys, and remembers what each refusal said."""

    def __init__(self, session: PivSession) -> None:
        self._session = session
        self._unknown: set[ManagementAlgorithm] = set()
        self.offered: set[ManagementAlgorithm] = set()
        self.failure: CardError = WrongManagementKey()

    def first_of(self, intake: Intake) -> ManagementAlgorithm | None:
        """The algorithm of the first key that opens the card; None when none does."""
        stated = self._session.stated_management_algorithm()
        for key, algorithm in intake.keys(stated):
            if self.opens(key, algorithm):
                return algorithm
        return None

    def opens(self, key: bytes, algorithm: ManagementAlgorithm) -> bool:
        """Raises: WrongManagementKey: wrong, and the card says that one more would be the last."""
        if algorithm in self._unknown:
            return False
        try:
            self._session.authenticate_management(key, algorithm)
        except WrongManagementAlgorithm:
            self._unknown.add(algorithm)
            return False
        except WrongManagementKey as error:
            self.offered.add(algorithm)
            self.failure = error
            if error.attempts_left is not None and error.attempts_left <= 1:
                raise
            return False
        except NotAllowed as error:
            self._unknown.add(algorithm)
            if not self.offered:
                self.failure = error
            return False
        return True
