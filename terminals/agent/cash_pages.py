"""Cash at the counter in the browser: the shift, top-ups, and what the city answered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crypto.wire.finance import ShiftClosed, ShiftOpened
from crypto.wire.receipt import peek_receipt
from crypto.wire.wallets import CashTopUp
from terminals.agent import receipt_code
from terminals.agent.counter_flow import CounterFlow
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
    """A page with one amount, and a password where staff sign."""

    heading: str
    lead: str
    submit: str
    amount_label: str
    signed: bool
    facts: tuple[Fact, ...] = ()

    def render(self, staff: str, error: str = "") -> str:
        fields = [Field("amount", self.amount_label, kind="amount", value=request.form.get("amount", ""))]
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
    add_job("/top-up", "top_up", _topping_up, top_up)

    @pages.get("/receipt/<uuid:record_id>")
    def receipt(record_id: UUID) -> Page:
        stored = flow.station.outbox.find(record_id)
        return _receipt_page(flow.staff.session.username, stored, flow.station.settings.service_url)


def _opening() -> Form:
    lead = _("Count the money in the drawer before the first cash of the day.")
    return Form(_("Open a shift"), lead, _("Open the shift"), _("Money in the drawer"), signed=True)


def _closing(flow: CounterFlow) -> Form:
    shift = flow.till.shift()
    facts = (Fact(_("Float"), shift.float_cents), Fact(_("Expected"), shift.expected_cents)) if shift else ()
    lead = _("Count the money in the drawer. A difference is recorded, not hidden.")
    return Form(_("Close the shift"), lead, _("Close the shift"), _("Counted"), signed=True, facts=facts)


def _topping_up() -> Form:
    lead = _("Take the cash, then put the resident's card into the reader.")
    return Form(_("Top up with cash"), lead, _("Top up"), _("Amount"), signed=False)


def _receipt_page(staff: str, stored: Stored, service_url: str) -> str:
    number, text = "", ""
    if stored.receipt:
        number = peek_receipt(stored.receipt).official_number or ""
        text = receipt_code.text(stored.receipt, service_url)
    return render_template(
        "counter/receipt.html",
        staff=staff,
        outcome=_OUTCOMES[stored.state],
        what=_what(stored),
        amount_cents=_amount(stored),
        happened_at=datetime.fromtimestamp(stored.record.at_ms / 1000, UTC),
        official_number=number,
        reason=stored.detail or "",
        balance_cents=None,
        record_id=str(stored.record_id),
        receipt_text=text,
    )


def _what(stored: Stored) -> str:
    names = {
        ShiftOpened.KIND: _("Shift opened"),
        ShiftClosed.KIND: _("Shift closed"),
        CashTopUp.KIND: _("Top-up with cash"),
    }
    return names[stored.record.kind]


def _amount(stored: Stored) -> int:
    if stored.record.kind == ShiftOpened.KIND:
        return ShiftOpened.decode(stored.record).float_cents
    if stored.record.kind == ShiftClosed.KIND:
        return ShiftClosed.decode(stored.record).counted_cents
    return CashTopUp.decode(stored.record).amount_cents
