"""One card at this counter, from a blank in the reader to the holder's hand; and the sessions that takes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from terminals.card import NoCard, PivSession, Reader
from terminals.client import CardView, StaffClient, Terminal
from terminals.counter.personalise import MadeCard, Personalisation, Step, silent
from terminals.counter.secret import FACTORY, Intake
from terminals.station import console

WAIT_SECONDS: Final = 30.0

AskPin = Callable[[], tuple[bytearray, bytearray]]
"""The holder's new PIN, entered twice, in buffers that whoever uses them wipes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A card that was made. `left_out` names the objects that it had no place for."""

    card_id: UUID
    resident_id: UUID
    state: str
    product: str
    algorithm: str
    management_key: str
    puk: str
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, view: CardView, made: MadeCard) -> "Outcome":
        return cls(
            card_id=view.card_id,
            resident_id=view.resident_id,
            state=view.state,
            product=made.product,
            algorithm=made.algorithm.title,
            management_key=made.key.value,
            puk=made.puk_state.value,
            left_out=tuple(item.title for item in made.left_out),
        )

    def to_json(self) -> dict[str, console.JsonValue]:
        return {
            "card_id": str(self.card_id),
            "resident_id": str(self.resident_id),
            "state": self.state,
            "product": self.product,
            "algorithm": self.algorithm,
            "management_key": self.management_key,
            "puk": self.puk,
            "left_out": list(self.left_out),
        }

    def warnings(self) -> tuple[str, ...]:
        """What a clerk must know of this card, in sentences."""
        said = []
        if self.management_key == "kept":
            said.append("The card keeps the management key it came with: use it for tests only.")
        if self.puk == "kept":
            said.append("The card cannot change its PUK: whoever knows the batch's PUK can set its PIN.")
        if self.puk == "none":
            said.append("The card has no PUK: a blocked PIN means a new card.")
        if self.left_out:
            said.append(f"The card has no place for: {', '.join(self.left_out)}.")
        return tuple(said)


class Bench:
    """A reader, somebody signed in, the counter's identity: cards are made here. `intake`: what is known of blanks."""

    def __init__(
        self,
        reader: Reader,
        staff: StaffClient,
        terminal: Terminal,
        intake: Intake = FACTORY,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._reader = reader
        self._staff = staff
        self._terminal = terminal
        self._intake = intake
        self._random_bytes = random_bytes
        self._wait_seconds = wait_seconds

    def make(
        self,
        card_id: UUID,
        ask_pin: AskPin | None,
        *,
        watch: Callable[[Step], None] = silent,
        blank_serial: str | None = None,
    ) -> Outcome:
        """Make the blank card in the reader this card. `ask_pin` None: it stays at ready, in stock.

        Raises: as `Personalisation.make` and `.hand_over`; NoCard: none came in time.
        """
        work = Personalisation(
            self._staff,
            card_id,
            self._terminal,
            random_bytes=self._random_bytes,
            watch=watch,
            intake=self._intake,
            blank_serial=blank_serial,
        )
        with self._session() as session:
            made = work.make(session)
        try:
            if ask_pin is None:
                return Outcome.of(self._staff.card(card_id), made)
            pin, again = ask_pin()
            with self._session() as session:
                return Outcome.of(work.hand_over(session, made, pin, again), made)
        finally:
            made.pins.wipe()

    def _session(self) -> PivSession:
        if not self._reader.wait_for_card(self._wait_seconds):
            raise NoCard(self._reader.name)
        return PivSession(self._reader.connect())
