"""Staff sign in at the counter itself with their card; taking it out of a reader of its own locks the counter."""

from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_plus

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from terminals.agent import sign_in
from terminals.agent.counter_flow import CounterFlow
from terminals.agent.events import EventLog
from terminals.agent.failures import FAILURES
from terminals.agent.look import Field
from terminals.agent.pin_form import read_pins
from terminals.agent.watcher import Watcher
from terminals.agent.words import translated as _
from terminals.card import LastPinTry, PivSession
from terminals.station import wipe

ENDPOINTS: Final = ("counter.card_form", "counter.sign_in_with_card")
Page = str | Response


class StaffSlot:
    """The `Listener` of a reader that holds the staff member's card for as long as they work."""

    def __init__(self, flow: CounterFlow, events: EventLog, lock_path: str) -> None:
        self._flow = flow
        self._events = events
        self._lock_path = lock_path

    def card_inserted(self, connect: Callable[[], PivSession]) -> None:  # noqa: ARG002 - nothing is read unasked
        self._events.status("A staff card is in its reader.")

    def card_removed(self) -> None:
        self.lock()

    def reader_ready(self) -> None:
        self._events.status("The staff card reader answers again.")

    def reader_failed(self, reason: str) -> None:
        """A reader that is gone holds no card: whoever signed in with it is no longer here."""
        self._events.status(reason, wrong=True)
        self.lock()

    def lock(self) -> None:
        if self._flow.lock():
            self._events.screen("sign-in", self._lock_path)


def add(pages: Blueprint, flow: CounterFlow, watcher: Watcher, origin: str) -> None:
    """`watcher` is of the reader where staff put their own card."""

    def form(refused: str = "", *, last_try: bool = False) -> str:
        fields = [Field("pin", _("PIN of your card"), kind="password", autocomplete="off", width=10)]
        if last_try:
            fields.append(Field("last_try", "", kind="hidden", value="yes"))
        return render_template("counter/card_sign_in.html", staff="", fields=fields, refused=refused, last_try=last_try)

    _add_binding(pages, flow, watcher)

    @pages.get("/sign-in/card")
    def card_form() -> Page:
        return form()

    @pages.post("/sign-in/card")
    def sign_in_with_card() -> Page:
        pin, confirmed = read_pins("pin", "last_try")
        try:
            nonce, binding = flow.station.client.sign_in_challenge()
            token = watcher.with_card(
                lambda session: sign_in.login_token(session, origin, nonce, pin, last_try=bool(confirmed))
            )
            flow.sign_in_with_card(binding, token)
        except LastPinTry as error:
            return form(str(error), last_try=True)
        except FAILURES as error:
            return form(str(error))
        finally:
            wipe(pin)
        return redirect(url_for("counter.home"), 303)


def _add_binding(pages: Blueprint, flow: CounterFlow, watcher: Watcher) -> None:
    """A card officer makes a card stand for a member of staff, who is here and enters PIN and password themselves."""

    def form(refused: str = "", done: str = "") -> str:
        username, password, pin = _("User name"), _("Password"), _("PIN of the card")
        fields = [
            Field("username", username, value=request.args.get("username", ""), width=20),
            Field("password", password, kind="password", hint=_("Of the person whose card it becomes."), width=20),
            Field("pin", pin, kind="password", autocomplete="off", width=10),
        ]
        staff = flow.staff.session.username
        return render_template("counter/bind_card.html", staff=staff, fields=fields, refused=refused, done=done)

    @pages.get("/staff-card")
    def bind_form() -> Page:
        return form(done=request.args.get("done", ""))

    @pages.post("/staff-card")
    def bind() -> Page:
        username, password, pin = read_pins("username", "password", "pin")
        try:
            name, secret = _text(username), _text(password)
            staff_id, nonce, binding = flow.staff_challenge(name)
            proof = watcher.with_card(lambda session: sign_in.binding_proof(session, staff_id, nonce, pin))
            flow.staff.bind_staff_card(staff_id, binding, proof, secret)
        except FAILURES as error:
            return form(str(error))
        finally:
            wipe(pin)
            wipe(password)
        return redirect(url_for("counter.bind_form", done=name), 303)


def _text(field: bytearray) -> str:
    """A form's field as text. A password becomes one for the moment: the service takes it as JSON."""
    return unquote_plus(field.decode("ascii", "replace"))
