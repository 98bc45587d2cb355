"""The books in a browser: months with their locks, balances signed off, the chart of accounts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import make_response, redirect, render_template, request
from flask_babel import get_locale, gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, web
from cardsvc.access import guard
from cardsvc.errors import CityError, ErrorKind
from cardsvc.ledger.actions import asserting, periods
from cardsvc.ledger.queries import asserting as asserted
from cardsvc.ledger.queries import chart as charts
from cardsvc.ledger.queries import periods as closing
from cardsvc.ledger.rules import city_date
from cardsvc.ledger.rules.errors import KeyReused
from cardsvc.ledger.rules.periods import PeriodState, PeriodVerb
from cardsvc.money import InvalidAmount, parse_pesos
from crypto.wire.ids import uuid7

READERS = ("finance", "treasurer", "auditor")
OFFICERS = ("finance", "treasurer")


@dataclass(frozen=True, slots=True)
class EventRow:
    verb: str
    who: str
    at: datetime
    reason: str
    action_id: UUID | None


@dataclass(frozen=True, slots=True)
class MonthRow:
    """`may` are the verbs that whoever looks may do to it now."""

    month: str
    state: str
    events: tuple[EventRow, ...]
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class AssertionRow:
    id: UUID
    code: str
    title: str
    day: date
    asserted_cents: int
    difference_cents: int
    held: bool
    document: str
    who: str
    asserted_at: datetime
    withdrawn_by: str
    withdrawn_at: datetime | None
    withdrawn_why: str


@dataclass(frozen=True, slots=True)
class PatternRow:
    pattern: str
    title: str
    group: str
    kind: str
    fund: str
    government_code: str
    journal: bool
    retired: bool


@dataclass(frozen=True, slots=True)
class VersionRow:
    number: int
    at: datetime
    who: str
    action_id: UUID | None


def make(around: periods.Surroundings) -> web.PageBlueprint:
    """`around` is what closing a month must know of other rooms."""
    pages = web.PageBlueprint("ledger_pages", __name__, url_prefix="/finance")
    _add_periods(pages, around)
    _add_assertions(pages)
    _add_chart(pages)
    return pages


def _names(session: Session) -> Callable[[UUID | None], str]:
    staff = {UUID(str(member.id)): member.full_name for member in access.all_staff(session)}
    return lambda who: gettext("The software") if who is None else staff.get(who, str(who))


def _language() -> str:
    return str(get_locale())


def _again(show: Callable[[Session, str], str], error: CityError) -> BaseResponse:
    """The page once more, with what was refused. Nothing of this request stays."""
    web.session().rollback()
    said = db.run(web.city().engine, lambda session: show(session, str(error)), read_only=True)
    return make_response(said, web.STATUS_OF_KIND[error.kind])


def _me() -> UUID:
    return guard.principal().subject_id


def _is_officer() -> bool:
    return bool(guard.principal().roles & set(OFFICERS))


# ------------------------------------------------------------------------------------------------------------- months


def _add_periods(pages: web.PageBlueprint, around: periods.Surroundings) -> None:
    close, reopen = periods.handlers(around)

    @pages.get("/periods")
    @guard.requires(*READERS)
    def listed() -> str:
        return _months_page(web.session(), "")

    @pages.post("/periods/<month>/soft-close")
    @guard.requires(*OFFICERS)
    def soft_close(month: str) -> BaseResponse:
        try:
            periods.soft_close(web.session(), month, by=_me(), now=web.now())
        except CityError as error:
            return _again(_months_page, error)
        return redirect("/finance/periods", 303)

    def propose(handler: access.ActionHandler, payload: dict[str, Any]) -> BaseResponse:
        try:
            action = periods.propose(
                web.session(), handler, payload, by=_me(), now=web.now(), random_bytes=web.city().random_bytes
            )
        except CityError as error:
            return _again(_months_page, error)
        return redirect(f"/actions/{action.id}", 303)

    @pages.post("/periods/<month>/close")
    @guard.requires(*OFFICERS)
    def propose_close(month: str) -> BaseResponse:
        return propose(close, {"month": month})

    @pages.post("/periods/<month>/reopen")
    @guard.requires(*OFFICERS)
    def propose_reopen(month: str) -> BaseResponse:
        return propose(reopen, {"month": month, "reason": request.form.get("reason", "").strip()})


def _months_page(session: Session, problem: str) -> str:
    today, name = city_date(web.now()), _names(session)
    months = closing.periods(session, today)
    may = _may(months, today) if _is_officer() else {}
    return render_template(
        "ledger/periods.html",
        problem=problem,
        months=[
            MonthRow(
                month.month,
                month.state.value,
                tuple(
                    EventRow(event.verb.value, name(event.done_by), event.done_at, event.reason or "", event.action_id)
                    for event in month.events
                ),
                frozenset(may.get(month.month, ())),
            )
            for month in months
        ],
        states={"open": gettext("Open"), "soft_closed": gettext("Soft closed"), "closed": gettext("Closed")},
        verbs={
            "soft_close": gettext("Soft closed"),
            "close": gettext("Closed"),
            "reopen": gettext("Reopened"),
        },
    )


def _may(months: list[closing.PeriodView], today: date) -> dict[str, set[str]]:
    """Whose turn it is: the oldest month that a verb can be done to, and of the closed the newest."""
    oldest_first = [month for month in reversed(months) if month.month < f"{today:%Y-%m}"]
    may: dict[str, set[str]] = {}
    for state, verb, from_ in (
        (PeriodState.OPEN, PeriodVerb.SOFT_CLOSE, oldest_first),
        (PeriodState.SOFT_CLOSED, PeriodVerb.CLOSE, oldest_first),
        (PeriodState.CLOSED, PeriodVerb.REOPEN, months),
        (PeriodState.SOFT_CLOSED, PeriodVerb.REOPEN, months),
    ):
        turn = next((month.month for month in from_ if month.state is state), None)
        if turn is not None:
            may.setdefault(turn, set()).add(verb.value)
    return may


# --------------------------------------------------------------------------------------------------------- assertions


def _add_assertions(pages: web.PageBlueprint) -> None:
    @pages.get("/assertions")
    @guard.requires(*READERS)
    def assertions() -> str:
        return _assertions_page(web.session(), "")

    @pages.post("/assertions")
    @guard.requires(*OFFICERS)
    def sign_off() -> BaseResponse:
        wrong: dict[str, str] = {}
        day, cents = _read_day(wrong), _read_cents(wrong)
        code, document = (request.form.get(name, "").strip() for name in ("account_code", "document"))
        if not code:
            wrong["account_code"] = gettext("Enter the account's code.")
        if wrong or day is None or cents is None:
            web.session().rollback()
            show = db.run(web.city().engine, lambda session: _assertions_page(session, "", wrong), read_only=True)
            return make_response(show, 422)
        try:
            asserting.assert_balance(
                web.session(),
                code,
                day,
                cents,
                document=document,
                by=_me(),
                now=web.now(),
                random_bytes=web.city().random_bytes,
                key=_key(),
            )
        except KeyReused:
            return _again(_assertions_page, _FormSentBefore())
        except CityError as error:
            return _again(_assertions_page, error)
        return redirect("/finance/assertions", 303)

    @pages.post("/assertions/<uuid:assertion_id>/withdrawal")
    @guard.requires(*OFFICERS)
    def withdraw(assertion_id: UUID) -> BaseResponse:
        reason = request.form.get("reason", "").strip()
        try:
            asserting.withdraw_assertion(web.session(), assertion_id, reason=reason, by=_me(), now=web.now())
        except CityError as error:
            return _again(_assertions_page, error)
        return redirect("/finance/assertions", 303)


class _FormSentBefore(CityError):
    """The same form was sent with something else in it, from the browser's own history."""

    code = "form_sent_before"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            gettext("This form was sent before, with other words. What it said stands; here is a new one.")
        )


def _key() -> UUID | None:
    """The form's own: sent twice, it is one assertion."""
    try:
        return UUID(request.form.get("key", ""))
    except ValueError:
        return None


def _read_day(wrong: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(request.form.get("day", "").strip())
    except ValueError:
        wrong["day"] = gettext("Enter a day.")
        return None


def _read_cents(wrong: dict[str, str]) -> int | None:
    try:
        return parse_pesos(request.form.get("balance", ""))
    except InvalidAmount:
        wrong["balance"] = gettext("Enter an amount, like 1,234.50.")
        return None


def _assertions_page(session: Session, problem: str, wrong: dict[str, str] | None = None) -> str:
    found, name = asserted.assertions(session), _names(session)
    titles = charts.titles(session, {one.account_code for one in found}, _language())
    rows = [
        AssertionRow(
            one.id,
            one.account_code,
            titles[one.account_code],
            one.day,
            one.asserted_cents,
            one.difference_cents,
            one.held,
            one.document,
            name(one.asserted_by),
            one.asserted_at,
            "" if one.withdrawn_by is None else name(one.withdrawn_by),
            one.withdrawn_at,
            one.withdrawn_why or "",
        )
        for one in found
    ]
    fields = _fields(wrong or {}) if _is_officer() else []
    return render_template("ledger/assertions.html", rows=rows, fields=fields, problem=problem)


def _fields(wrong: dict[str, str]) -> list[web.Field]:
    def errors(name: str) -> tuple[str, ...]:
        return (wrong[name],) if name in wrong else ()

    def value(name: str) -> str:
        return request.form.get(name, "")

    code, day, balance, document = "account_code", "day", "balance", "document"
    return [
        web.Field(code, gettext("Account"), hint="bank:main, cash:vault", value=value(code), errors=errors(code)),
        web.Field(day, gettext("Day"), "date", value=value(day), errors=errors(day)),
        web.Field(
            balance, gettext("Balance at the end of the day"), "amount", value=value(balance), errors=errors(balance)
        ),
        web.Field(document, gettext("The statement or count that says so"), value=value(document)),
        web.Field("key", "", "hidden", value=str(uuid7(db.to_ms(web.now()), web.city().random_bytes(10)))),
    ]


# -------------------------------------------------------------------------------------------------------------- chart


def _add_chart(pages: web.PageBlueprint) -> None:
    @pages.get("/chart")
    @guard.requires(*READERS)
    def chart() -> str:
        session = web.session()
        versions, name, filipino = charts.history(session), _names(session), _language() == "fil"
        found = versions[0].chart if versions else None
        groups = {group.code: group.title_fil if filipino else group.title for group in (found.groups if found else ())}
        return render_template(
            "ledger/chart.html",
            patterns=[
                PatternRow(
                    one.pattern,
                    one.title_fil or one.title if filipino else one.title,
                    groups.get(one.group, ""),
                    one.kind.value,
                    one.fund.value,
                    one.government_code,
                    one.journal,
                    one.retired,
                )
                for one in (found.patterns if found else ())
            ],
            versions=[VersionRow(v.number, v.adopted_at, name(v.adopted_by), v.action_id) for v in versions],
        )
