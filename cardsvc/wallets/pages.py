"""A resident's own pages: what is in the wallet, what is due, what happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from flask import render_template, request, url_for
from sqlalchemy.orm import Session

from cardsvc import ledger, residents, web
from cardsvc.access import guard
from cardsvc.clock import business_date
from cardsvc.wallets import queries, rules

LINES_ON_FIRST_PAGE = 8
_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class CardLine:
    """The card the resident holds: its state, and its last day."""

    state: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class DueLine:
    """Something the resident may claim, the last day included."""

    programme: str
    label: str
    amount_cents: int
    claim_until: date


@dataclass(frozen=True, slots=True)
class BillLine:
    """An open bill that the resident is known to pay."""

    number: str
    what: str
    amount_cents: int
    due_on: date
    url: str = ""


@dataclass(frozen=True, slots=True)
class PageSources:
    """What the pages show of other rooms; app.py brings them together. Each is asked for one resident, on one day."""

    card: Callable[[Session, UUID], CardLine | None]
    due: Callable[[Session, UUID, date], Sequence[DueLine]]
    bills: Callable[[Session, UUID, date], Sequence[BillLine]]


def make(sources: PageSources) -> web.PageBlueprint:
    """The room's pages."""
    blueprint = web.PageBlueprint("wallet_pages", __name__)

    @blueprint.get("/wallet")
    @guard.resident_only
    def wallet() -> str:
        return render_template("wallets/wallet.html", **_first_page(sources, web.session()))

    @blueprint.get("/wallet/statement")
    @guard.resident_only
    def statement() -> str:
        session = web.session()
        resident_id = guard.principal().subject_id
        after = request.args.get("after")
        page = queries.statement(session, queries.of_resident(session, resident_id).id, after=after)
        return render_template(
            "wallets/statement.html",
            wallet=_heading(session, resident_id),
            page=page,
            next_url=url_for(".statement", after=page.next) if page.next else "",
            first_url=url_for(".statement") if after else "",
        )

    return blueprint


def _first_page(sources: PageSources, session: Session) -> dict[str, object]:
    """Everything the first page shows of the resident who asks."""
    today = business_date(web.now())
    resident_id = guard.principal().subject_id
    mine = queries.of_resident(session, resident_id)
    summary = queries.summary(session, mine.id)
    card = sources.card(session, resident_id)
    shown = {
        **_heading(session, resident_id),
        "balance_cents": summary.balance_cents,
        "owed_cents": summary.owed_cents,
        "held_cents": summary.held_cents,
        "reference": rules.spaced(rules.reference_of(mine.id)),
        "card_state": card.state if card else "",
        "card_expires_on": card.expires_on if card else None,
    }
    bills = [
        {
            "number": bill.number,
            "what": bill.what,
            "amount_cents": bill.amount_cents,
            "due_on": bill.due_on,
            "url": bill.url,
            "is_overdue": bill.due_on < today,
        }
        for bill in sources.bills(session, resident_id, today)
    ]
    return {
        "wallet": shown,
        "purses": [_purse_row(purse) for purse in summary.purses],
        "holds": [_hold_row(view) for view in queries.holds(session, mine.id)] if summary.held_cents else [],
        "due": sources.due(session, resident_id, today),
        "bills": bills,
        "lines": queries.statement(session, mine.id, limit=LINES_ON_FIRST_PAGE).lines,
    }


def _purse_row(purse: queries.Purse) -> dict[str, object]:
    """The last moment in which a purse pays is what its holder is told."""
    until = None if purse.expires_at is None else purse.expires_at - _MOMENT
    return {
        "name": purse.name,
        "purpose": purse.purpose,
        "amount_cents": purse.balance_cents,
        "use_by": until,
        "is_expired": purse.expired(web.now()),
    }


def _hold_row(view: ledger.HoldView) -> dict[str, object]:
    return {
        "beneficiary": view.hold.terms.beneficiary,
        "amount_cents": view.hold.left_cents,
        "until": view.hold.terms.expires_at,
    }


def _heading(session: Session, resident_id: UUID) -> dict[str, object]:
    """Whose page it is, and when it was made."""
    resident = residents.find(session, resident_id)
    return {"holder": resident.full_name, "number": resident.number, "as_of": web.now()}
