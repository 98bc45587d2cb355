"""Help with a PIN in the browser: tries left, another PIN, and a new one for who forgot it and was identified."""

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from terminals.agent.counter_flow import CounterFlow
from terminals.agent.counter_pages import shown, staff_name, tries
from terminals.agent.failures import FAILURES
from terminals.agent.look import Field
from terminals.agent.pin_form import read_pins
from terminals.agent.watcher import Watcher
from terminals.agent.words import translated as _
from terminals.card import LastPinTry
from terminals.counter import HolderCard, LastPukTry
from terminals.station import wipe

Page = str | Response
_MEANS: Final = ("photo", "document", "both")


def add(pages: Blueprint, flow: CounterFlow, watcher: Watcher) -> None:
    """Put the pages on the counter's blueprint."""

    @pages.get("/holder-pin")
    def holder_pin() -> Page:
        return _help_page(flow)

    @pages.post("/holder-pin")
    def read_holder_card() -> Page:
        try:
            watcher.with_card(flow.look)
        except FAILURES as error:
            return _help_page(flow, str(error))
        return redirect(url_for("counter.holder_pin"), 303)

    _add_change(pages, flow, watcher)
    _add_identity(pages, flow)
    _add_reset(pages, flow, watcher)


def _add_change(pages: Blueprint, flow: CounterFlow, watcher: Watcher) -> None:
    def ask(error: str = "", *, last_try: bool = False) -> Page:
        if flow.helped is None:
            return redirect(url_for("counter.holder_pin"), 303)
        return render_template("counter/change_pin.html", error=error, left=_left(flow.helped), last_try=last_try)

    @pages.get("/holder-pin/change")
    def change_pin() -> Page:
        return ask()

    @pages.post("/holder-pin/change")
    def change_pin_now() -> Page:
        old, new, again, confirmed = read_pins("old", "pin", "pin_again", "last_try")
        try:
            watcher.with_card(lambda session: flow.desk.change_pin(session, old, new, again, last_try=bool(confirmed)))
            flow.helped = watcher.with_card(flow.desk.look)  # anew: a card that has just taken a PIN tells no tries
        except LastPinTry as error:
            return ask(str(error), last_try=True)
        except FAILURES as error:
            _look_again(flow, watcher)
            return ask(str(error))
        finally:
            for secret in (old, new, again):
                wipe(secret)
        return redirect(url_for("counter.holder_pin", done="changed"), 303)


def _add_identity(pages: Blueprint, flow: CounterFlow) -> None:
    """The clerk says who the holder is before the city lets go of the PUK."""

    def ask(error: str = "") -> Page:
        if flow.helped is None:
            return redirect(url_for("counter.holder_pin"), 303)
        person = shown(flow.show_holder())
        fields = (
            Field("means", _("How did you identify the person?"), "radios", choices=_choices(photo=bool(person))),
            Field("note", _("Document and number, or what else you saw"), hint=_("At most 100 letters.")),
        )
        return render_template(
            "counter/identity.html",
            staff=staff_name(flow),
            person=person,
            may=flow.may_issue,
            fields=fields,
            refused=error,
        )

    @pages.get("/holder-pin/identity")
    def identity() -> Page:
        return ask()

    @pages.post("/holder-pin/identity")
    def identified() -> Page:
        means, note = request.form.get("means", ""), request.form.get("note", "").strip()
        if means not in _MEANS:
            return ask(_("Say how you identified the person."))
        if means != "photo" and not note:
            return ask(_("Name the document that you were shown."))
        flow.identified = f"identified by {means}{': ' if note else ''}{note[:100]}"
        return redirect(url_for("counter.reset_pin"), 303)


def _add_reset(pages: Blueprint, flow: CounterFlow, watcher: Watcher) -> None:
    def ask(error: str = "", *, last_try: bool = False) -> Page:
        if flow.helped is None or not flow.identified:
            return redirect(url_for("counter.holder_pin"), 303)
        return render_template("counter/reset_pin.html", error=error, last_try=last_try)

    @pages.get("/holder-pin/reset")
    def reset_pin() -> Page:
        return ask()

    @pages.post("/holder-pin/reset")
    def reset_pin_now() -> Page:
        new, again, confirmed = read_pins("pin", "pin_again", "last_try")
        helped, reason = flow.helped, flow.identified
        try:
            if helped is None or not reason:
                return ask()
            flow.helped = watcher.with_card(
                lambda session: flow.desk.reset_pin(
                    session, flow.staff, helped.card_id, reason, new, again, last_try=bool(confirmed)
                )
            )
        except LastPukTry as error:
            return ask(str(error), last_try=True)
        except FAILURES as error:
            return ask(str(error))
        finally:
            wipe(new)
            wipe(again)
        flow.identified = ""
        return redirect(url_for("counter.holder_pin", done="new"), 303)


def _help_page(flow: CounterFlow, wrong: str = "") -> str:
    done = {"changed": _("The PIN was changed."), "new": _("The card has a new PIN. The old one is worth nothing.")}
    return render_template(
        "counter/holder_pin.html",
        staff=staff_name(flow),
        card=flow.helped,
        left=_left(flow.helped) if flow.helped else "",
        may=flow.may_issue,
        done=done.get(request.args.get("done", ""), "") if flow.helped and not wrong else "",
        wrong=wrong,
    )


def _look_again(flow: CounterFlow, watcher: Watcher) -> None:
    """After a wrong PIN: how many tries are left now. A card that is gone is told by itself."""
    try:
        flow.helped = watcher.with_card(flow.desk.look)
    except FAILURES:
        flow.helped = None


def _left(card: HolderCard) -> str:
    if card.attempts_left is None:
        return _("The card does not say how many tries are left.")
    return _("The PIN is blocked.") if card.attempts_left == 0 else tries(card.attempts_left)


def _choices(*, photo: bool) -> tuple[tuple[str, str], ...]:
    seen = (("photo", _("By the photo above")), ("both", _("By the photo and a document"))) if photo else ()
    return (*seen, ("document", _("By a document with a photo")))
