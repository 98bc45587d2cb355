"""Another card in the place of one, in one visit: ended at once or renewed, approved by a second person, made."""

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from terminals.agent.counter_flow import Case, CounterFlow
from terminals.agent.counter_pages import person, staff_name
from terminals.agent.failures import FAILURES
from terminals.agent.look import Field
from terminals.agent.words import translated as _

Page = str | Response
_REASONS: Final = ("lost", "stolen", "damaged")


def add(pages: Blueprint, flow: CounterFlow) -> None:
    """Put the pages on the counter's blueprint."""

    @pages.get("/replace")
    def replace() -> Page:
        return _replace_page(flow, flow.case(request.args.get("resident", "")))

    @pages.post("/replace")
    def replace_now() -> Page:
        case = flow.case(request.args.get("resident", ""))
        try:
            if case.card is None or not case.held:
                return redirect(url_for("counter.issue", resident=case.resident.number), 303)
            if request.form.get("deed") == "renew":
                flow.staff.renew_card(case.card.card_id)
            else:
                reason = request.form.get("reason", "")
                if reason not in _REASONS:
                    return _replace_page(flow, case, _("Say what happened to the card."))
                note = request.form.get("note", "").strip() or None
                flow.staff.replace_card(case.card.card_id, reason, note=note)
        except FAILURES as error:
            return _replace_page(flow, case, str(error))
        return redirect(url_for("counter.issue", resident=case.resident.number), 303)

    _add_approval(pages, flow)


def _add_approval(pages: Blueprint, flow: CounterFlow) -> None:
    """A second person approves here, without signing the first one out."""

    def ask(case: Case, error: str = "") -> Page:
        fields = (
            Field("username", _("User name of the second person"), value=request.form.get("username", ""), width=20),
            Field("password", _("Their password"), kind="password", autocomplete="off", width=20),
        )
        resident, staff = person(case.resident), staff_name(flow)
        return render_template("counter/approve.html", staff=staff, resident=resident, fields=fields, refused=error)

    @pages.get("/approve")
    def approve() -> Page:
        return ask(flow.case(request.args.get("resident", "")))

    @pages.post("/approve")
    def approve_now() -> Page:
        case = flow.case(request.args.get("resident", ""))
        try:
            flow.approve_as(case, request.form.get("username", ""), request.form.get("password", ""))
        except FAILURES as error:
            return ask(case, str(error))
        return redirect(url_for("counter.issue", resident=case.resident.number), 303)


def _replace_page(flow: CounterFlow, case: Case, error: str = "") -> str:
    follows = {one.reason: one for one in flow.staff.consequences()}
    prices = flow.staff.card_prices()
    names = {
        "lost": _("Lost"),
        "stolen": _("Stolen"),
        "damaged": _("Damaged"),
    }
    fields = (
        Field(
            "reason",
            _("What happened to the card?"),
            "radios",
            value=request.form.get("reason", ""),
            choices=tuple(names.items()),
        ),
        Field("note", _("Note"), hint=_("Such as the number of the police report.")),
    )
    return render_template(
        "counter/replace.html",
        staff=staff_name(flow),
        resident=person(case.resident),
        held=case.held,
        expires_on=flow.last_day(case),
        fields=fields,
        follows=[(names[reason], follows[reason], prices.get(reason, 0)) for reason in _REASONS if reason in follows],
        renewal_cents=prices.get("renewal", 0),
        refused=error,
    )
