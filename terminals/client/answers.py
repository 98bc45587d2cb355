"""What the service answers, as values. Bytes travel as base64url in its JSON."""

from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from terminals.client.fields import Fields


@dataclass(frozen=True, slots=True)
class EnrolmentAnswer:
    """`certificate` is the terminal's, DER."""

    device_id: UUID
    certificate: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.uuid("device_id"), fields.binary("certificate"))


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """`outcome` is "accepted" or "rejected"; `reason` the code and `detail` the sentence of a rejection, else None.

    `record_id` is None when the service could not read the item. `receipt` is None when nobody's key stands behind it.
    `balance_cents` is what the card's holder has left for rides, told to a gate of a tap that was new; else None.
    """

    record_id: UUID | None
    outcome: str
    reason: str | None
    detail: str | None
    replayed: bool
    receipt: bytes | None
    balance_cents: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            record_id=fields.optional_uuid("record_id"),
            outcome=fields.text("outcome"),
            reason=fields.optional_text("reason"),
            detail=fields.optional_text("detail"),
            replayed=fields.flag("replayed"),
            receipt=fields.optional_binary("receipt"),
            balance_cents=fields.optional_integer("balance_cents"),
        )


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """`answered_at_ms` is the service's clock; None from a service that does not say it."""

    results: tuple[ItemAnswer, ...]
    answered_at_ms: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        results = tuple(ItemAnswer.read(item) for item in fields.each("results"))
        return cls(results, fields.optional_moment_ms("answered_at"))


@dataclass(frozen=True, slots=True)
class StaffSession:
    """`token` is a bearer token: it stays in memory. `staff_id` goes into the records this person signs."""

    token: str = field(repr=False)
    staff_id: UUID
    username: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResidentView:
    """A person in the register. `birth_date` is ISO 8601."""

    resident_id: UUID
    number: str
    name: str
    birth_date: str
    barangay: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            resident_id=fields.uuid("id"),
            number=fields.text("number"),
            name=fields.text("name"),
            birth_date=fields.text("birth_date"),
            barangay=fields.text("barangay_code"),
        )


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as the service sees it; `state` is one of its words (requested, approved, ready, active, ...).

    `expires_on` is its last day, ISO 8601, None before it is made; `replaces` the card whose place it takes.
    """

    card_id: UUID
    resident_id: UUID
    state: str
    expires_on: str | None = None
    replaces: UUID | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            card_id=fields.uuid("id"),
            resident_id=fields.uuid("resident_id"),
            state=fields.text("state"),
            expires_on=fields.optional_text("expires_on"),
            replaces=fields.optional_uuid("replaces"),
        )


@dataclass(frozen=True, slots=True)
class PersonView:
    """A resident as shown for a purpose, on the record. `photo` is a data URI, None without one; dates ISO 8601."""

    number: str
    name: str
    birth_date: str
    photo: str | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            number=fields.text("number"),
            name=fields.text("name"),
            birth_date=fields.text("birth_date"),
            photo=fields.optional_text("photo"),
        )


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows when a card ends for this reason: sentences about the card, the wallet and the next order."""

    reason: str
    new_card: str
    card: str
    wallet: str
    order: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(*(fields.text(name) for name in ("reason", "new_card", "card", "wallet", "order")))


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a card is to become. `management_key` is its own 9B key; `challenge` enters the possession proofs.

    `algorithm` is the management key's identifier (SP 800-78-5). `expires_on` is the card's last valid day, ISO 8601.
    `face` is the facial image object, None where the city writes none onto its cards.
    """

    card_id: UUID
    management_key: bytes = field(repr=False)
    algorithm: int
    challenge: bytes
    expires_on: str
    face: bytes | None = field(default=None, repr=False)

    @classmethod
    def read(cls, fields: Fields, management_key: bytes) -> Self:
        """`management_key` is what was sealed in the answer."""
        return cls(
            card_id=fields.uuid("card_id"),
            management_key=management_key,
            algorithm=fields.integer("algorithm"),
            challenge=fields.binary("challenge"),
            expires_on=fields.text("expires_on"),
            face=fields.optional_binary("face"),
        )


@dataclass(frozen=True, slots=True)
class Possession:
    """A key the card made, as a point, and its signature over the possession statement. `slot` as in "9E"."""

    slot: str
    point: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    slot: str
    certificate: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.text("slot"), fields.binary("certificate"))


@dataclass(frozen=True, slots=True)
class Issued:
    """What goes onto the card, byte for byte; `challenge` enters the statements that prove that it arrived.

    `security_object` stands for the hashes of the objects above it. None: the card gets no such object; `discovery` is
    the whole object, with its tag.
    """

    certificates: tuple[IssuedCertificate, ...]
    chuid: bytes
    challenge: bytes
    capabilities: bytes | None = None
    printed_information: bytes | None = field(default=None, repr=False)
    discovery: bytes | None = None
    security_object: bytes | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        certificates = tuple(IssuedCertificate.read(item) for item in fields.each("certificates"))
        return cls(
            certificates=certificates,
            chuid=fields.binary("chuid"),
            challenge=fields.binary("challenge"),
            capabilities=fields.optional_binary("capabilities"),
            printed_information=fields.optional_binary("printed_information"),
            discovery=fields.optional_binary("discovery"),
            security_object=fields.optional_binary("security_object"),
        )


@dataclass(frozen=True, slots=True)
class DueView:
    """An entitlement that may be claimed. `claim_until` is the last day, ISO 8601."""

    entitlement_id: UUID
    programme: str
    cycle: str
    amount_cents: int
    currency: str
    claim_until: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            entitlement_id=fields.uuid("entitlement_id"),
            programme=fields.text("programme"),
            cycle=fields.text("cycle"),
            amount_cents=fields.integer("amount_cents"),
            currency=fields.text("currency"),
            claim_until=fields.text("claim_until"),
        )


@dataclass(frozen=True, slots=True)
class BillView:
    """An open bill. `tdn` is the tax declaration it is for; `quarter` is 0 for a whole year; `due_on` is ISO 8601."""

    bill_id: UUID
    number: str
    tdn: str
    year: int
    quarter: int
    amount_cents: int
    currency: str
    due_on: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            bill_id=fields.uuid("bill_id"),
            number=fields.text("number"),
            tdn=fields.text("tdn"),
            year=fields.integer("year"),
            quarter=fields.optional_integer("quarter") or 0,
            amount_cents=fields.integer("amount_cents"),
            currency=fields.text("currency"),
            due_on=fields.text("due_on"),
        )


@dataclass(frozen=True, slots=True)
class PassView:
    """A transit pass on sale. `begins` is the fare day of now, ISO 8601; `days` and `rides` are None where it has no
    such limit.
    """

    pass_id: str
    name: str
    tariff_version: int
    begins: str
    days: int | None
    rides: int | None
    amount_cents: int
    currency: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            pass_id=fields.text("pass_id"),
            name=fields.text("name"),
            tariff_version=fields.integer("tariff_version"),
            begins=fields.text("begins"),
            days=fields.optional_integer("days"),
            rides=fields.optional_integer("rides"),
            amount_cents=fields.integer("amount_cents"),
            currency=fields.text("currency"),
        )


@dataclass(frozen=True, slots=True)
class PurseView:
    """Money for a purpose ("transit", "tax", "any"), spent before the balance. `use_by` is the moment at which its time
    is over, ISO 8601; None: it has no end.
    """

    name: str
    purpose: str
    balance_cents: int
    use_by: str | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            name=fields.text("name"),
            purpose=fields.text("purpose"),
            balance_cents=fields.integer("balance_cents"),
            use_by=fields.optional_text("use_by"),
        )


@dataclass(frozen=True, slots=True)
class TopUpMandateView:
    """What the holder agreed to: `amount_cents` come from the purse `source` whenever the balance is below
    `threshold_cents`, at most `day_max` times a day.
    """

    source: str
    threshold_cents: int
    amount_cents: int
    day_max: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            source=fields.text("source"),
            threshold_cents=fields.integer("threshold_cents"),
            amount_cents=fields.integer("amount_cents"),
            day_max=fields.integer("day_max"),
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What a holder sees: the wallet, what may be claimed, paid and bought. `initials` stand for the name.

    `balance_cents` is for everything and for ever, `purses` are beside it, `held_cents` are set aside and in neither.
    `owed_cents` is what offline rides left to be repaid, 0 when nothing. `top_up_reference` is what a bank transfer
    must carry, as it is printed; empty where the service says none. A feature that a city does not have answers
    with no section, which reads as nothing due.
    """

    initials: str
    balance_cents: int
    owed_cents: int
    currency: str
    entitlements: tuple[DueView, ...]
    bills: tuple[BillView, ...]
    held_cents: int = 0
    purses: tuple[PurseView, ...] = ()
    passes: tuple[PassView, ...] = ()
    top_up_reference: str = ""
    top_up_mandates: tuple[TopUpMandateView, ...] = ()

    @classmethod
    def read(cls, fields: Fields) -> Self:
        sections = fields.inner("sections")
        wallet = sections.inner("wallet")
        return cls(
            initials=wallet.text("initials"),
            balance_cents=wallet.integer("balance_cents"),
            owed_cents=wallet.integer("owed_cents"),
            currency=wallet.text("currency"),
            entitlements=tuple(DueView.read(item) for item in sections.each("benefits", optional=True)),
            bills=tuple(BillView.read(item) for item in sections.each("taxes", optional=True)),
            held_cents=wallet.optional_integer("held_cents") or 0,
            purses=tuple(PurseView.read(item) for item in wallet.each("purses", optional=True)),
            passes=tuple(PassView.read(item) for item in sections.each("passes", optional=True)),
            top_up_reference=wallet.optional_text("top_up_reference") or "",
            top_up_mandates=tuple(
                TopUpMandateView.read(item) for item in wallet.each("top_up_mandates", optional=True)
            ),
        )
