"""The counter in the browser: sign in, find a resident, issue, verify."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from terminals.agent import sign_in_counter
from terminals.agent.counter_flow import Case, CounterFlow, Deed, NotSignedIn
from terminals.agent.failures import FAILURES
from terminals.agent.look import Field
from terminals.agent.pin_form import read_pins
from terminals.agent.watcher import Watcher
from terminals.agent.words import translated as _
from terminals.client import PersonView, ResidentView
from terminals.counter import Step, VerifiedCard
from terminals.station import wipe

Page = str | Response
_OPEN: Final = ("counter.home", "counter.sign_in", "counter.sign_out", *sign_in_counter.ENDPOINTS)
_ORDER: Final = ("request", "approve", "make", "pin", "done")


@dataclass(frozen=True, slots=True)
class Person:
    """A resident as the templates take one. `card_state` is "" without a card."""

    number: str
    name: str
    birth_date: date
    barangay: str
    card_state: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose card it is, to compare with who stands there. `photo` is a data URI, "" without one."""

    number: str
    name: str
    birth_date: date
    photo: str


@dataclass(frozen=True, slots=True)
class Line:
    """A step, or a line of progress; `state` is todo, now, done or failed."""

    key: str
    name: str
    state: str
    state_name: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    deed: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Price:
    """What the card costs; `state` says in words whether that is paid, `path` where it is taken, "" where not here."""

    amount_cents: int
    state: str
    due: bool
    path: str


@dataclass(frozen=True, slots=True)
class OpenShift:
    opened_at: datetime
    float_cents: int
    cards_cents: int
    expected_cents: int


def make(flow: CounterFlow, watcher: Watcher) -> Blueprint:
    pages = Blueprint("counter", __name__, url_prefix="/<token>/counter")

    @pages.before_request
    def sign_in_first() -> None:
        if not flow.signed_in and request.endpoint not in _OPEN:
            raise NotSignedIn

    _add_sign_in(pages, flow)
    _add_issue(pages, flow, watcher)
    _add_verify(pages, flow, watcher)
    return pages


def staff_name(flow: CounterFlow) -> str:
    return flow.staff.session.username if flow.signed_in else ""


def _add_sign_in(pages: Blueprint, flow: CounterFlow) -> None:
    @pages.post("/sign-in")
    def sign_in() -> Page:
        username = request.form.get("username", "")
        try:
            flow.sign_in(username, request.form.get("password", ""))
        except FAILURES as error:
            return _sign_in_page(username, str(error))
        return redirect(url_for("counter.home"), 303)

    @pages.post("/sign-out")
    def sign_out() -> Page:
        with suppress(*FAILURES):  # forgotten here all the same; the service forgets by itself
            flow.sign_out()
        return redirect(url_for("counter.home"), 303)

    @pages.get("")
    def home() -> Page:
        if not flow.signed_in:
            return _sign_in_page("", "")
        may = {"verify"} | ({"issue"} if flow.may_issue else set()) | ({"cash"} if flow.may_take_cash else set())
        may |= {"pin"}
        may |= {"bind"} if flow.may_bind else set()
        waiting = flow.station.outbox.waiting()
        return render_template(
            "counter/home.html", staff=staff_name(flow), may=may, shift=_shift(flow), waiting=waiting
        )

    @pages.route("/find", methods=["GET", "POST"])
    def find() -> Page:
        wanted = request.values.get("q", "").strip()
        people = None
        if wanted:
            people = [person(one, _card_state(flow, one)) for one in flow.staff.find_residents(wanted)[:20]]
        return render_template("counter/find.html", staff=staff_name(flow), q=wanted, residents=people)


def _add_issue(pages: Blueprint, flow: CounterFlow, watcher: Watcher) -> None:
    @pages.get("/issue")
    def issue() -> Page:
        return _issue_page(flow, flow.case(request.args.get("resident", "")), "")

    @pages.post("/issue")
    def issue_step() -> Page:
        case = flow.case(request.args.get("resident", ""))
        try:
            _do(flow, watcher, case)
        except FAILURES as error:
            flow.failed()
            return _issue_page(flow, flow.case(case.resident.number), str(error))
        if request.form.get("deed") == Deed.PIN:
            return redirect(url_for("counter.pin", resident=case.resident.number), 303)
        return redirect(url_for("counter.issue", resident=case.resident.number), 303)

    @pages.get("/pin")
    def pin() -> Page:
        return render_template("counter/pin.html", staff=staff_name(flow), error="")

    @pages.post("/pin")
    def set_pin() -> Page:
        entered, again = read_pins("pin", "pin_again")
        try:
            number = flow.made_for
            watcher.with_card(lambda session: flow.hand_over(session, entered, again))
        except FAILURES as error:
            return render_template("counter/pin.html", staff=staff_name(flow), error=str(error))
        finally:
            wipe(entered)
            wipe(again)
        return redirect(url_for("counter.issue", resident=number), 303)


def _add_verify(pages: Blueprint, flow: CounterFlow, watcher: Watcher) -> None:
    @pages.get("/verify")
    def verify() -> Page:
        staff_name(flow)
        if flow.verified is None:
            return _verify_page(flow, None, "", "")
        return _verdict(flow, flow.verified)

    @pages.post("/verify")
    def verify_now() -> Page:
        try:
            watcher.with_card(flow.verify)
        except FAILURES as error:
            return _verify_page(flow, "no", _("This card cannot be accepted"), str(error))
        return redirect(url_for("counter.verify"), 303)


def _shift(flow: CounterFlow) -> OpenShift | None:
    shift = flow.till.shift()
    if shift is None:
        return None
    opened_at = datetime.fromtimestamp(shift.opened_at_ms / 1000, UTC)
    return OpenShift(opened_at, shift.float_cents, shift.cards_cents, shift.expected_cents)


def _sign_in_page(username: str, refused: str) -> str:
    fields = [
        Field("username", _("User name"), value=username, autocomplete="username"),
        Field("password", _("Password"), kind="password", autocomplete="current-password"),
    ]
    return render_template("counter/sign_in.html", fields=fields, refused=refused, staff="")


def _do(flow: CounterFlow, watcher: Watcher, case: Case) -> None:
    deed = request.form.get("deed")
    if deed == Deed.REQUEST:
        flow.request(case)
    elif deed == Deed.APPROVE:
        flow.approve(case)
    elif deed == Deed.MAKE:
        watcher.with_card(lambda session: flow.make(case, session))


def _issue_page(flow: CounterFlow, case: Case, wrong: str) -> str:
    return render_template(
        "counter/issue.html",
        staff=staff_name(flow),
        resident=person(case.resident),
        steps=_steps(case),
        progress=[Line(step.value, _step_name(step), state, _state_name(state)) for step, state in flow.steps.items()],
        status=wrong or _advice(case),
        wrong=bool(wrong),
        links=_links(flow, case),
        price=_price(flow, case),
        action=Action(case.deed.value, _deed_name(case.deed)) if case.deed else None,
    )


def _price(flow: CounterFlow, case: Case) -> Price | None:
    """The price of the card, apart from any load; None where it is free."""
    fee = case.fee
    if fee is None or fee.state == "free":
        return None
    words = {"due": _("to be paid"), "paid": _("paid"), "waived": _("waived")}
    here = fee.is_due and flow.may_take_cash and flow.till.shift() is not None
    path = url_for("counter.card_price", resident=case.resident.number) if here else ""
    return Price(fee.amount_cents, words[fee.state], fee.is_due, path)


def _links(flow: CounterFlow, case: Case) -> list[Link]:
    """Where else this card can go: to a load, to a second person, or to the end of its life."""
    number = case.resident.number
    if case.card and case.held:
        ending = Link(url_for("counter.replace", resident=number), _("Replace or renew this card"))
        if not flow.may_take_cash or flow.till.shift() is None:
            return [ending]
        return [Link(url_for("counter.top_up", card=case.card.card_id), _("Top up with cash")), ending]
    if case.card and case.card.state == "requested":
        return [Link(url_for("counter.approve", resident=number), _("Let a second person approve it here"))]
    return []


def _steps(case: Case) -> list[Line]:
    names = (_("Request"), _("Approval"), _("Make"), _("PIN"), _("Hand over"))
    state = case.card.state if case.card else ""
    reached = {"": 0, "requested": 1, "approved": 2, "personalising": 2, "ready": 3}.get(state, len(_ORDER))
    if state == "ready" and case.deed is Deed.MAKE:
        reached = 2
    states = ["done" if place < reached else "now" if place == reached else "todo" for place in range(len(names))]
    return [Line(key, name, each) for key, name, each in zip(_ORDER, names, states, strict=True)]


def _advice(case: Case) -> str:
    if case.card is None:
        return _("This resident has no card.")
    if case.unpaid and case.card.state == "ready" and case.deed is None:
        return _("The card is made. Its price is to be paid before the holder gets it.")
    return {
        "requested": _("Another card officer has to approve the request."),
        "approved": _("Put a blank card into the reader."),
        "personalising": _("The card was not finished. Put the same card, or a blank one, into the reader."),
        "ready": _("The card is ready for its holder."),
        "active": _("The card is active."),
        "suspended": _("The card is suspended."),
    }.get(case.card.state, case.card.state)


def _deed_name(deed: Deed) -> str:
    return {
        Deed.REQUEST: _("Request a card"),
        Deed.APPROVE: _("Approve the request"),
        Deed.MAKE: _("Make the card"),
        Deed.PIN: _("Let the holder choose a PIN"),
    }[deed]


def _step_name(step: Step) -> str:
    return {
        Step.UNLOCK: _("Open the card"),
        Step.SECRETS: _("Set its secrets"),
        Step.KEYS: _("Make its keys"),
        Step.CERTIFY: _("Certify the keys"),
        Step.WRITE: _("Write the certificates"),
        Step.VERIFY: _("Read everything back"),
        Step.READY: _("Ready"),
        Step.HANDOVER: _("Set the holder's PIN"),
        Step.ACTIVE: _("Active"),
    }[step]


def _state_name(state: str) -> str:
    return {"now": _("now"), "done": _("done"), "failed": _("failed")}.get(state, _("to do"))


def _verdict(flow: CounterFlow, found: VerifiedCard) -> str:
    in_force = not found.denied and found.state in (None, "active")
    said = {True: _("Nothing speaks against it."), False: _("Send the holder to a card officer.")}[in_force]
    checks = [
        Check(_("Genuine"), True, _("It answered a fresh challenge with its own key.")),
        Check(_("Certificate"), True, _("Issued by this city, and not expired.")),
        Check(_("In force"), in_force, said if found.state or not in_force else _("The city could not be asked.")),
        Check(_("PIN"), found.attempts_left != 0, tries(found.attempts_left)),
    ]
    sure = in_force and found.state is not None
    verdict, title = ("yes", _("A valid card")) if sure else ("look", _("A genuine card"))
    if not in_force:
        verdict, title = "no", _("This card may not be used")
    detail = _("Card %(id)s", id=found.card_id)
    return _verify_page(flow, verdict, title, detail, shown(flow.person), checks)


def _verify_page(
    flow: CounterFlow,
    verdict: str | None,
    title: str,
    detail: str,
    person: Shown | None = None,
    checks: list[Check] | None = None,
) -> str:
    return render_template(
        "counter/verify.html",
        staff=staff_name(flow),
        verdict=verdict,
        title=title,
        detail=detail,
        person=person,
        checks=checks or [],
    )


def shown(person: PersonView | None) -> Shown | None:
    """The resident as the templates take one who is shown for a purpose."""
    if person is None:
        return None
    return Shown(person.number, person.name, date.fromisoformat(person.birth_date), person.photo or "")


def tries(left: int | None) -> str:
    return _("Not asked over this interface.") if left is None else _("%(count)s tries left.", count=left)


def _card_state(flow: CounterFlow, resident: ResidentView) -> str:
    cards = flow.staff.cards_of(resident.resident_id)
    return cards[0].state if cards else ""


def person(resident: ResidentView, card_state: str = "") -> Person:
    born = date.fromisoformat(resident.birth_date)
    return Person(resident.number, resident.name, born, resident.barangay, card_state)
