"""The stock of blanks: deliveries against their notes, one blank, the spoilage register, a delivery taken in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from flask import request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.pages import words
from cardsvc.cards.pages.common import (
    COUNTER,
    OFFICER,
    again,
    check_text,
    errors,
    go,
    is_officer,
    me,
    names,
    page,
    pages,
    refused,
    said,
)
from cardsvc.cards.queries import Blank
from cardsvc.cards.rules import PRODUCTS, BlankState, Delivery, InvalidDelivery, SpoilageReason
from cardsvc.errors import CityError

SPOILED_SHOWN: Final = 100
SERIALS_MAX: Final = 20_000
ROWS_NAMED_MAX: Final = 20
DELIVERED_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class BlankLine:
    """A step of a blank: the register's line, or a line of its history."""

    serial: str
    state: str
    reason: str
    note: str
    who: str
    at: datetime


@pages.get("/cards/stock")
@guard.requires(*COUNTER, "auditor")
def stock() -> str:
    return _stock(web.session(), request.args.get("serial", "").strip())


@pages.post("/cards/stock/spoilage")
@guard.requires(*COUNTER)
def spoil() -> BaseResponse:
    """Write a blank off, with its reason."""
    serial = said("serial")
    wrong: dict[str, str] = {}
    note = check_text(wrong, "note") or None
    reason = next((each for each in SpoilageReason if each.value == said("reason")), None)
    if reason is None:
        wrong["reason"] = gettext("Choose the reason.")
    if wrong:
        return again(lambda session: _stock(session, serial, wrong))
    assert reason is not None
    try:
        actions.spoil(web.session(), serial, reason=reason, note=note, by=me(), now=web.now())
    except CityError as error:
        problem = {"reason": str(error)}
        return refused(error, lambda session: _stock(session, serial, problem))
    return go(url_for("card_pages.stock", serial=serial))


@pages.post("/cards/stock/return")
@guard.requires(OFFICER)
def send_back() -> BaseResponse:
    """Note that an unused blank went back to whoever delivered it."""
    serial = said("serial")
    try:
        actions.send_back(web.session(), serial, by=me(), now=web.now())
    except CityError as error:
        problem = {"reason": str(error)}
        return refused(error, lambda session: _stock(session, serial, problem))
    return go(url_for("card_pages.stock", serial=serial))


@pages.get("/cards/stock/delivery")
@guard.requires(OFFICER)
def delivery() -> str:
    return _delivery({}, None)


@pages.post("/cards/stock/delivery")
@guard.requires(OFFICER)
def take_in() -> BaseResponse:
    """Take a delivery in, all or nothing; or only check every row of it."""
    wrong: dict[str, str] = {}
    given, serials = _read_delivery(wrong), said("serials").split()
    if not serials:
        wrong["serials"] = gettext("Paste the serials, one a line.")
    if len(serials) > SERIALS_MAX:
        wrong["serials"] = gettext("Take in at most %(count)s at once.", count=SERIALS_MAX)
    if wrong or given is None:
        return again(lambda _session: _delivery(wrong, None))
    session, city = web.session(), web.city()
    try:
        actions.take_in(session, given, serials, by=me(), now=web.now(), random_bytes=city.random_bytes)
    except InvalidDelivery as error:
        problem = _rows_at_fault(error.fields)
        return refused(error, lambda _session: _delivery(problem, None))
    except CityError as error:
        problem = {"name": str(error)}
        return refused(error, lambda _session: _delivery(problem, None))
    if said("do") == "check":
        return again(lambda _session: _delivery({}, len(serials)), 200)
    return go(url_for("card_pages.stock"))


def _stock(session: Session, serial: str, wrong: Mapping[str, str] | None = None) -> str:
    blank, missing = None, ""
    if serial:
        try:
            blank = queries.blank(session, serial)
        except CityError as error:
            missing = str(error)
    history = queries.blank_history(session, serial) if blank else ()
    return page(
        "cards/stock.html",
        deliveries=queries.reconciliation(session),
        spoiled=_lines(session, queries.spoilage(session, limit=SPOILED_SHOWN)),
        serial=serial,
        missing=missing,
        blank=blank,
        history=_lines(session, history),
        states=words.blank_states(),
        fields=_spoilage_fields(blank, wrong or {}) if blank and _may_spoil(blank) else [],
        may_return=is_officer() and blank is not None and blank.state is BlankState.IN_STOCK,
        may_take_in=is_officer(),
        products=tuple(PRODUCTS),
    )


def _may_spoil(blank: Blank) -> bool:
    at_the_counter = not guard.principal().roles.isdisjoint(COUNTER)
    return at_the_counter and blank.state in {BlankState.IN_STOCK, BlankState.USED}


def _spoilage_fields(blank: Blank, wrong: Mapping[str, str]) -> list[web.Field]:
    wrong_with, reasons = errors(wrong), tuple(words.spoilage().items())
    return [
        web.Field("serial", "", "hidden", value=blank.serial),
        web.Field("reason", gettext("Why it is spoiled"), "radios", "", said("reason"), wrong_with("reason"), reasons),
        web.Field("note", gettext("Note"), "text", "", said("note"), wrong_with("note")),
    ]


def _lines(session: Session, steps: Sequence[queries.BlankStep]) -> list[BlankLine]:
    name, reasons, states = names(session), words.spoilage(), words.blank_states()
    return [
        BlankLine(
            step.serial,
            states[step.to_state.value],
            reasons[step.reason.value] if step.reason else "",
            step.note or "",
            name(step.actor, None),
            step.at,
        )
        for step in steps
    ]


def _read_delivery(wrong: dict[str, str]) -> Delivery | None:
    name = check_text(wrong, "name", needed=gettext("Name the delivery, as its note does."))
    by = check_text(wrong, "delivered_by", needed=gettext("Say who delivered it."))
    where = check_text(wrong, "transport_key_reference") or None
    product = said("product")
    if product not in PRODUCTS:
        wrong["product"] = gettext("Choose the product.")
    on, count = _day("delivered_on"), said("delivered")
    if on is None:
        wrong["delivered_on"] = gettext("Give the day of the delivery.")
    if count and not (count.isascii() and count.isdigit() and 0 < int(count) <= DELIVERED_MAX):
        wrong["delivered"] = gettext("Write how many cards the delivery note counts, or leave it empty.")
    if wrong or on is None:
        return None
    return Delivery(name[:80], product, by[:120], on, int(count) if count else None, where)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(said(name))
    except ValueError:
        return None


def _rows_at_fault(fields: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The first rows that are wrong, beside the field that they stand in; other fields by their names."""
    rows = {place: said_of[0] for place, said_of in fields.items() if place.startswith(("row ", "file"))}
    wrong = {place: said_of[0] for place, said_of in fields.items() if place not in rows}
    if rows:
        lines = [f"{place}: {text.partition(': ')[2] or text}" for place, text in list(rows.items())[:ROWS_NAMED_MAX]]
        more = len(rows) - len(lines)
        wrong["serials"] = " ".join(lines) + (gettext(" And %(count)s more.", count=more) if more > 0 else "")
    return wrong


def _delivery(wrong: Mapping[str, str], checked: int | None) -> str:
    """The form; `checked` is how many serials were found in order, where they were only checked."""
    wrong_with = errors(wrong)

    def field(name: str, label: str, kind: str = "text", **more: object) -> web.Field:
        return web.Field(name, label, kind, value=said(name), errors=wrong_with(name), **more)  # type: ignore[arg-type]

    where = gettext("Where the transport key is kept, never the key itself.")
    fields = [
        field(
            "name", gettext("Name of the delivery"), hint=gettext("As on its note, for example DN-2026-014."), width=20
        ),
        field("product", gettext("Product"), "select", choices=tuple((name, name) for name in PRODUCTS)),
        field("delivered_by", gettext("Delivered by")),
        field("delivered_on", gettext("Delivered on"), "date"),
        field("delivered", gettext("Cards on the note"), hint=gettext("Empty: as many as serials."), width=10),
        field("transport_key_reference", gettext("Transport key"), hint=where),
        field("serials", gettext("Serials"), "textarea", hint=gettext("One a line.")),
    ]
    return page("cards/delivery.html", fields=fields, checked=checked)
