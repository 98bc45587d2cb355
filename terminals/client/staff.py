"""The calls of a member of staff at a counter: residents, cards, and the staff member's own signature."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

from crypto.wire import pin_reset
from crypto.wire.personalisation import CardSecret
from terminals.client.answers import (
    CardView,
    Consequence,
    Instructions,
    Issued,
    PersonView,
    Possession,
    ResidentView,
    StaffSession,
)
from terminals.client.calls import Caller, JsonValue
from terminals.client.errors import ServiceRefused
from terminals.client.fees import FeeView, read_prices
from terminals.client.fields import encode_bytes
from terminals.client.sealed import SecretAsk, Terminal

_NOT_FOUND = 404


class StaffClient:
    """Errors as in `ServiceClient`; a missing role is a `ServiceRefused`."""

    def __init__(self, caller: Caller, session: StaffSession) -> None:
        self._caller = caller
        self.session = session

    def sign_out(self) -> None:
        self._caller.delete("/v1/sign-in")

    def sign(self, record: bytes, password: str) -> bytes:
        """This person's signature over the record, a detached COSE_Sign1. The password is asked for each time."""
        answer = self._caller.post("/v1/signatures", {"password": password, "record": encode_bytes(record)})
        return answer.binary("authorisation")

    # --- staff cards ---

    def staff_id_of(self, username: str) -> UUID | None:
        """Whose user name it is, None for nobody's."""
        for member in self._caller.get_json("/v1/staff").each("staff"):
            if member.text("username") == username.strip().casefold():
                return member.uuid("id")
        return None

    def staff_card_challenge(self, staff_id: UUID) -> tuple[bytes, bytes]:
        """A nonce for both keys of a card that is to stand for this person, and the binding to send back with it."""
        answer = self._caller.post(f"/v1/staff/{staff_id}/cards/challenges", {})
        return answer.binary("nonce"), answer.binary("binding")

    def bind_staff_card(self, staff_id: UUID, binding: bytes, proof: Mapping[str, bytes], password: str) -> UUID:
        """From now on the card of the proof stands for this person. `password` is theirs, whoever binds it.
        Returns the card's id.
        """
        sent: dict[str, JsonValue] = {name: encode_bytes(value) for name, value in proof.items()}
        sent["binding"] = encode_bytes(binding)
        if password:
            sent["password"] = password
        return self._caller.post(f"/v1/staff/{staff_id}/cards", sent).uuid("card_id")

    # --- residents ---

    def find_residents(self, text: str) -> tuple[ResidentView, ...]:
        """Residents by number or name."""
        answer = self._caller.get_json("/v1/residents?" + urlencode({"q": text}))
        return tuple(ResidentView.read(item) for item in answer.each("residents"))

    def resident(self, resident_id: UUID) -> ResidentView:
        return ResidentView.read(self._caller.get_json(f"/v1/residents/{resident_id}"))

    def view(self, resident_id: UUID, purpose: str, *, card_id: UUID | None = None) -> PersonView:
        """Be shown a resident, photo and all; the resident can read who was, when and why."""
        content: dict[str, JsonValue] = {"purpose": purpose, "card_id": None if card_id is None else str(card_id)}
        return PersonView.read(self._caller.post(f"/v1/residents/{resident_id}/views", content))

    # --- cards; each step may be asked again after a torn card or a lost answer ---

    def request_card(self, resident_id: UUID) -> CardView:
        return CardView.read(self._caller.post("/v1/cards", {"resident_id": str(resident_id)}))

    def approve_card(self, card_id: UUID) -> CardView:
        return CardView.read(self._caller.post(f"/v1/cards/{card_id}/approval", {}))

    def replace_card(
        self, card_id: UUID, reason: str, *, note: str | None = None, identity_checked: bool = False
    ) -> CardView:
        """End a card at once; the answer is the order of the one in its place."""
        content: dict[str, JsonValue] = {"reason": reason, "note": note, "identity_checked": identity_checked}
        return CardView.read(self._caller.post(f"/v1/cards/{card_id}/replacement", content))

    def renew_card(self, card_id: UUID) -> CardView:
        """The order of the card's successor; until that is handed over, this one stays good."""
        return CardView.read(self._caller.post(f"/v1/cards/{card_id}/renewal", {}))

    def consequences(self) -> tuple[Consequence, ...]:
        """What follows from each reason for which a card can end."""
        answer = self._caller.get_json("/v1/cards/consequences")
        return tuple(Consequence.read(item) for item in answer.each("consequences"))

    def card_fee(self, card_id: UUID) -> FeeView | None:
        """What the order of the card asks for; None where the service is of a release that knows no prices."""
        try:
            return FeeView.read(self._caller.get_json(f"/v1/cards/{card_id}/fee"))
        except ServiceRefused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise

    def card_prices(self) -> dict[str, int]:
        """What each kind of issue costs today, in cents; none where the service knows no prices."""
        try:
            return read_prices(self._caller.get_json("/v1/cards/prices"))
        except ServiceRefused as refused:
            if refused.status == _NOT_FOUND:
                return {}
            raise

    def puk_for_reset(
        self, card_id: UUID, terminal: Terminal, sign: Callable[[bytes], bytes], reason: str
    ) -> bytearray:
        """The PUK of the card in the reader, which signs for the request (`sign`, with 9E). Whoever gets it wipes it.

        `reason` goes into the card's history. Raises: AnswerNotUnderstood: not sealed for this request; ask again.
        """
        ask = SecretAsk(CardSecret.PUK, terminal, card_id, self.step(card_id))
        signature = sign(pin_reset.statement(ask.request))
        content = {"request": ask.signed(), "signature": encode_bytes(signature), "reason": reason}
        answer = self._caller.post(f"/v1/cards/{card_id}/pin-reset", content)
        return bytearray(ask.open(answer.binary("sealed_puk")))

    def card(self, card_id: UUID) -> CardView:
        return CardView.read(self._caller.get_json(f"/v1/cards/{card_id}"))

    def cards_of(self, resident_id: UUID) -> tuple[CardView, ...]:
        """The resident's cards, newest first."""
        answer = self._caller.get_json("/v1/cards?" + urlencode({"resident_id": str(resident_id)}))
        return tuple(CardView.read(item) for item in answer.each("cards"))

    def orders(self, state: str, *, limit: int = 100) -> tuple[CardView, ...]:
        """Cards in this state of the service's, a page of them at most."""
        answer = self._caller.get_json("/v1/cards?" + urlencode({"state": state, "limit": str(limit)}))
        return tuple(CardView.read(item) for item in answer.each("cards"))

    def begin_personalisation(
        self, card_id: UUID, terminal: Terminal, *, algorithm: int | None = None, blank_serial: str | None = None
    ) -> Instructions:
        """Begin an attempt at this counter. `algorithm` where the card's management key cannot have the usual one.

        Raises: AnswerNotUnderstood: the key in the answer is not sealed for this request; begin again.
        """
        ask = SecretAsk(CardSecret.MANAGEMENT_KEY, terminal, card_id, self.step(card_id))
        told: dict[str, JsonValue] = {"algorithm": algorithm, "blank_serial": blank_serial, "request": ask.signed()}
        content = {name: value for name, value in told.items() if value is not None}
        answer = self._caller.post(f"/v1/cards/{card_id}/personalisation", content)
        return Instructions.read(answer, ask.open(answer.binary("sealed_management_key")))

    def step(self, card_id: UUID) -> int:
        """How long the card's history is now: what a request for its secret names, so that it is answered once."""
        return len(self._caller.get_json(f"/v1/cards/{card_id}").each("history"))

    def certify(self, card_id: UUID, keys: Sequence[Possession]) -> Issued:
        """Prove that the card holds the keys it made, and get their certificates and the CHUID."""
        content = [
            {"slot": key.slot, "point": encode_bytes(key.point), "signature": encode_bytes(key.signature)}
            for key in keys
        ]
        return Issued.read(self._caller.post(f"/v1/cards/{card_id}/certificates", {"keys": list(content)}))

    def report_readback(self, card_id: UUID, signature: bytes, *, key_kept: bool = False) -> CardView:
        """Everything was read back and compared; `signature` is 9E's over the readback statement. The card is ready.

        `key_kept`: the product cannot replace its management key. A city in production refuses that.
        """
        content: dict[str, JsonValue] = {"signature": encode_bytes(signature)}
        if key_kept:
            content["management_key"] = "kept"
        return CardView.read(self._caller.post(f"/v1/cards/{card_id}/readback", content))

    def hand_over(self, card_id: UUID, signature: bytes) -> CardView:
        """The holder used the PIN; `signature` is 9C's over the handover statement. The card is active."""
        answer = self._caller.post(f"/v1/cards/{card_id}/handover", {"signature": encode_bytes(signature)})
        return CardView.read(answer)
