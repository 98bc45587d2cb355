"""A resident's passes in a browser: what is held, what is on sale; one is bought with a passkey."""

import base64
import binascii
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, transactions, wallets, web
from cardsvc.access import guard
from cardsvc.money import CURRENCY
from cardsvc.transit import queries as tariffs
from cardsvc.transit.passes import queries
from cardsvc.transit.passes.queries import OnSale
from cardsvc.transit.rules import selling
from cardsvc.transit.rules.selling import Offer
from crypto.wire.transit import PassBought

pages = web.PageBlueprint(
    "pass_pages",
    __name__,
    root_path=str(Path(__file__).parent),
    template_folder="templates",
    url_prefix="/wallet/passes",
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A pass on sale, and the fare day that was chosen for it; None where it is none on which a pass may begin."""

    on_sale: OnSale
    offer: Offer
    begins: date | None
    names: dict[str, str]

    @property
    def today(self) -> date:
        return self.on_sale.today(web.now())


@pages.get("")
@guard.resident_only
def mine() -> str:
    """One's own passes, and those on sale."""
    return _list("")


def _list(refused: str) -> str:
    session = web.session()
    wallet = wallets.of_resident(session, guard.principal().subject_id)
    held, listed = queries.held(session, wallet.id, web.now()), queries.listed(session, web.now())
    return render_template(
        "transit/own_passes.html",
        held=held,
        offers=listed.passes,
        names=tariffs.network_names(session),
        now=web.now(),
        refused=refused,
    )


@pages.get("/buy")
@guard.resident_only
def show() -> BaseResponse:
    """A pass to be bought, from a day that can be chosen."""
    asked = _asked()
    return redirect(url_for(".mine")) if asked is None else _page(asked, "", 200 if asked.begins else 422)


@pages.post("/buy")
@guard.resident_only
def buy() -> BaseResponse:
    """Take what the passkey signed. The page that is sent twice is answered twice the same."""
    try:
        result = transactions.perform_by_passkey(_bytes("record"), request.form.get("credential", ""))
        refused = "" if result.outcome == "accepted" else result.detail or ""
    except (access.PasskeyNotAccepted, transactions.DraftUnusable, transactions.RecordIdConflict) as error:
        refused = str(error)
    if not refused:
        return redirect(url_for(".mine"), 303)
    asked = _asked()
    return make_response(_list(refused), 409) if asked is None else _page(asked, refused, 409)


def _asked() -> _Asked | None:
    """What the address names; None where it is not on sale (any more)."""

    def read(session: Session) -> _Asked | None:
        on_sale = queries.on_sale(session, web.now())
        offer = None if on_sale is None else on_sale.offers.get(request.args.get("pass", ""))
        if on_sale is None or offer is None:
            return None
        today = on_sale.today(web.now())
        begins = _day(today)
        if begins is not None and selling.check_beginning(begins, today) is not None:
            begins = None
        return _Asked(on_sale, offer, begins, tariffs.network_names(session))

    # a unit of its own: the request's would be in the way of the one that pays
    return db.run(web.city().engine, read, read_only=True)


def _day(default: date) -> date | None:
    text = request.args.get("begins", "")
    try:
        return date.fromisoformat(text) if text else default
    except ValueError:
        return None


def _page(asked: _Asked, refused: str, status: int) -> BaseResponse:
    offer, today, begins = asked.offer, asked.today, asked.begins
    record = options = ""
    window = None
    if begins is not None:
        window = selling.window(asked.on_sale.tariff.terms, offer.pass_id, begins, web.now())
        record, options = _to_sign(
            PassBought(offer.pass_id, asked.on_sale.version, begins, offer.amount_cents, CURRENCY)
        )
    wallet = wallets.of_resident(web.session(), guard.principal().subject_id)
    page = render_template(
        "transit/buy_pass.html",
        offer=offer,
        names=asked.names,
        begins=begins,
        first=today,
        last=selling.last_beginning(today),
        good_until=None if window is None or offer.days is None else window[1],
        balance_cents=wallets.summary(web.session(), wallet.id).balance_cents,
        record=record,
        options=options,
        refused=refused,
        possible=guard.site().takes_passkeys,
    )
    return make_response(page, status)


def _to_sign(body: PassBought) -> tuple[str, str]:
    """The record in base64, and what the browser is asked with; both empty where no passkey can sign."""
    if not guard.site().takes_passkeys:
        return "", ""
    encoded = transactions.draft_for_passkey(body)
    try:
        options = access.record_options(web.session(), guard.site(), guard.principal().subject_id, encoded)
    except access.NoSigningPasskey:
        return "", ""
    return base64.urlsafe_b64encode(encoded).decode(), options


def _bytes(name: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(request.form.get(name, "").encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return b""
