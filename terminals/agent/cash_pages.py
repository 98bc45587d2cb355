"""Cash at the counter in the browser: the shift, top-ups, and what the city answered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crypto.wire.finance import CardPaid, ShiftClosed, ShiftOpened
from crypto.wire.receipt import peek_receipt
from crypto.wire.wallets import CashTopUp
from terminals.agent import receipt_code
from terminals.agent.counter_flow import Case, CounterFlow
from terminals.agent.failures import FAILURES
from terminals.agent.look import Field
from terminals.agent.watcher import Watcher
from terminals.agent.words import translated as _
from terminals.counter import read_pesos
from terminals.outbox import State, Stored

Page = str | Response
_OUTCOMES: Final = {State.ACCEPTED: "accepted", State.REJECTED: "rejected", State.WAITING: "stored"}


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Form:
    """A page with one amount, and a password where staff sign. Without a label nobody enters the amount."""

    heading: str
    lead: str
    submit: str
    amount_label: str
    signed: bool
    facts: tuple[Fact, ...] = ()
    about: str = ""

    def render(self, staff: str, error: str = "") -> str:
        fields = []
        if self.amount_label:
            fields.append(Field("amount", self.amount_label, kind="amount", value=request.form.get("amount", "")))
        if self.signed:
            label = _("Your password, to sign")
            fields.append(Field("password", label, kind="password", autocomplete="current-password"))
        return render_template(
            "counter/money.html",
            staff=staff,
            heading=self.heading,
            lead=self.lead,
            fields=fields,
            submit=self.submit,
            facts=self.facts,
            about=self.about,
            status=error,
            wrong=bool(error),
        )


def add(pages: Blueprint, flow: CounterFlow, watcher: Watcher) -> None:
    """Put the pages on the counter's blueprint."""

    def add_job(path: str, name: str, form: Callable[[], Form], do: Callable[[int], Stored]) -> None:
        def ask() -> Page:
            return form().render(flow.staff.session.username)

        def take() -> Page:
            username = flow.staff.session.username
            try:
                stored = do(read_pesos(request.form.get("amount", "")))
            except FAILURES as error:
                return form().render(username, str(error))
            return redirect(url_for("counter.receipt", record_id=stored.record_id), 303)

        pages.add_url_rule(path, name, ask, methods=["GET"])
        pages.add_url_rule(path, f"{name}_now", take, methods=["POST"])

    def password() -> str:
        return request.form.get("password", "")

    def top_up(cents: int) -> Stored:
        return watcher.with_card(lambda session: flow.till.top_up(session, cents)).stored

    add_job("/shift/open", "open_shift", _opening, lambda cents: flow.till.open_shift(flow.staff, password(), cents))
    add_job(
        "/shift/close",
        "close_shift",
        lambda: _closing(flow),
        lambda cents: flow.till.close_shift(flow.staff, password(), cents),
    )
    add_job("/top-up", "top_up", lambda: _topping_up(flow), top_up)
    _add_card_price(pages, flow)

    @pages.get("/receipt/<uuid:record_id>")
    def receipt(record_id: UUID) -> Page:
        stored = flow.station.outbox.find(record_id)
        return _receipt_page(flow, stored)


def _add_card_price(pages: Blueprint, flow: CounterFlow) -> None:
    """The price of a card on order, apart from any load: a record and a receipt of its own."""

    def case() -> Case:
        return flow.case(request.args.get("resident", ""))

    @pages.get("/card-price")
    def card_price() -> Page:
        return _pricing(case()).render(flow.staff.session.username)

    @pages.post("/card-price")
    def card_price_now() -> Page:
        found = case()
        try:
            stored = flow.take_price(found, request.form.get("password", ""))
        except FAILURES as error:
            return _pricing(found).render(flow.staff.session.username, str(error))
        number = found.resident.number
        return redirect(url_for("counter.receipt", record_id=stored.record_id, resident=number), 303)


def _opening() -> Form:
    lead = _("Count the money in the drawer before the first cash of the day.")
    return Form(_("Open a shift"), lead, _("Open the shift"), _("Money in the drawer"), signed=True)


def _closing(flow: CounterFlow) -> Form:
    shift = flow.till.shift()
    facts = (
        (
            Fact(_("Float"), shift.float_cents),
            Fact(_("Loads"), shift.loads_cents),
            Fact(_("Cards"), shift.cards_cents),
            Fact(_("Expected"), shift.expected_cents),
        )
        if shift
        else ()
    )
    lead = _("Count the money in the drawer. A difference is recorded, not hidden.")
    return Form(_("Close the shift"), lead, _("Close the shift"), _("Counted"), signed=True, facts=facts)


def _topping_up(flow: CounterFlow) -> Form:
    """With the card's price beside it, where that was taken for the same card in this shift."""
    lead = _("Take the cash, then put the resident's card into the reader.")
    card_id = request.args.get("card", type=UUID)
    price_cents = flow.till.taken_for(card_id).price_cents if card_id else 0
    facts = (Fact(_("Card, paid apart"), price_cents),) if price_cents else ()
    about = _("The card's price")
    return Form(_("Top up with cash"), lead, _("Top up"), _("Load"), signed=False, facts=facts, about=about)


def _pricing(case: Case) -> Form:
    """The price as the city says it: nobody enters it."""
    facts = (Fact(_("Card"), case.fee.amount_cents),) if case.fee else ()
    lead = _("Take this amount in cash. A load is taken apart, once the holder has the card.")
    heading, about = _("Price of the card"), _("The card's price")
    return Form(heading, lead, _("The cash is in the drawer"), "", signed=True, facts=facts, about=about)


def _together(flow: CounterFlow, stored: Stored) -> tuple[Fact, ...]:
    """Where one card was paid and loaded in this shift: each by itself, and the total. No receipt says the total."""
    paid = CardPaid.decode(stored.record).card_id if stored.record.kind == CardPaid.KIND else stored.subject
    if paid is None or stored.state is State.REJECTED:
        return ()
    taken = flow.till.taken_for(paid)
    if not taken.price_cents or not taken.load_cents:
        return ()
    return (
        Fact(_("Card"), taken.price_cents),
        Fact(_("Load"), taken.load_cents),
        Fact(_("Total in cash"), taken.total_cents),
    )


def _next_path() -> str:
    """Back to the card that was paid, or home."""
    number = request.args.get("resident", "")
    return url_for("counter.issue", resident=number) if number else url_for("counter.home")


def _receipt_page(flow: CounterFlow, stored: Stored) -> str:
    number, text = "", ""
    if stored.receipt:
        number = peek_receipt(stored.receipt).official_number or ""
        text = receipt_code.text(stored.receipt, flow.station.settings.service_url)
    return render_template(
        "counter/receipt.html",
        staff=flow.staff.session.username,
        outcome=_OUTCOMES[stored.state],
        what=_what(stored),
        amount_cents=_amount(stored),
        happened_at=datetime.fromtimestamp(stored.record.at_ms / 1000, UTC),
        official_number=number,
        reason=stored.detail or "",
        balance_cents=None,
        record_id=str(stored.record_id),
        receipt_text=text,
        together=_together(flow, stored),
        next_path=_next_path(),
    )


def _what(stored: Stored) -> str:
    names = {
        ShiftOpened.KIND: _("Shift opened"),
        ShiftClosed.KIND: _("Shift closed"),
        CashTopUp.KIND: _("Top-up with cash"),
        CardPaid.KIND: _("Price of the card"),
    }
    return names[stored.record.kind]


def _amount(stored: Stored) -> int:
    if stored.record.kind == ShiftOpened.KIND:
        return ShiftOpened.decode(stored.record).float_cents
    if stored.record.kind == ShiftClosed.KIND:
        return ShiftClosed.decode(stored.record).counted_cents
    if stored.record.kind == CardPaid.KIND:
        return CardPaid.decode(stored.record).amount_cents
    return CashTopUp.decode(stored.record).amount_cents
