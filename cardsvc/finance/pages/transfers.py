"""Bank transfers in a browser: lines that are to be signed in, and money whose holder staff must find."""

from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import db, residents, transactions, wallets, web
from cardsvc.access import guard
from cardsvc.errors import CityError
from cardsvc.finance import performing, queries
from cardsvc.finance.actions import transfers
from cardsvc.finance.pages.asking import READERS, pages
from crypto.wire.ids import uuid7

SIGNERS: Final = ("finance", "treasurer")


@pages.get("/finance/transfers")
@guard.requires(*READERS)
def listed() -> str:
    return _page("")


@pages.post("/finance/transfers")
@guard.requires(*SIGNERS)
def take_in() -> BaseResponse:
    """Sign in what the page showed; whatever was signed in meanwhile is not signed in twice."""
    try:
        results = performing.take_in(
            [UUID(given) for given in request.form.getlist("line")][: queries.AT_ONCE_MAX],
            staff_id=guard.principal().subject_id,
            password=request.form.get("password", ""),
        )
    except (ValueError, CityError) as error:
        return make_response(_page(str(error)), 409)
    refused = [result.detail or "" for result in results if result.outcome != "accepted"]
    return make_response(_page(refused[0]), 409) if refused else redirect(url_for(".listed"), 303)


@pages.get("/finance/transfers/<uuid:transfer_id>")
@guard.requires(*READERS)
def waiting_transfer(transfer_id: UUID) -> str:
    return _one(transfer_id, "")


@pages.post("/finance/transfers/<uuid:transfer_id>")
@guard.requires(*SIGNERS)
def assign(transfer_id: UUID) -> BaseResponse:
    """Sign whose it is; sent twice it is assigned once, because the page carries the new record's id."""
    by, reason, engine = guard.principal().subject_id, request.form.get("reason", "").strip(), web.city().engine
    try:
        key = UUID(request.form.get("key", ""))
        wallet_id = db.run(engine, _wallet_asked, read_only=True)
        make = partial(transfers.assignment, waiting_id=transfer_id, wallet_id=wallet_id, reason=reason, by=by)
        password = request.form.get("password", "")
        answer = transactions.perform(make, record_id=key, staff_id=by, password=password)
    except (ValueError, CityError) as error:
        return make_response(_one(transfer_id, str(error)), 409)
    if answer["outcome"] != "accepted":
        return make_response(_one(transfer_id, str(answer["detail"])), 409)
    return redirect(url_for(".entry", entry_id=key), 303)


def _wallet_asked(session: Session) -> UUID:
    holder = residents.find_by_number(session, request.form.get("number", ""))
    return wallets.of_resident(session, holder.id).id


def _page(refused: str) -> str:
    session = web.session()
    lines = queries.incoming(session, limit=queries.AT_ONCE_MAX)
    return render_template(
        "finance/transfers.html",
        lines=lines,
        numbers=_numbers(session, [line.wallet_id for line in lines if line.wallet_id is not None]),
        waiting=queries.waiting(session),
        password=_password(),
        may_sign=bool(guard.principal().roles & set(SIGNERS)),
        refused=refused,
    )


def _numbers(session: Session, wallet_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The resident number behind each wallet."""
    found = wallets.by_ids(session, wallet_ids)
    holders = residents.find_many(session, [wallet.resident_id for wallet in found.values()])
    return {wallet.id: holders[wallet.resident_id].number for wallet in found.values()}


def _one(transfer_id: UUID, refused: str) -> str:
    found = queries.waiting(web.session(), transfer_id=transfer_id)
    if not found:
        raise transfers.UnknownTransfer
    return render_template(
        "finance/transfer.html",
        transfer=found[0],
        key=uuid7(db.to_ms(web.now()), web.city().random_bytes(10)),
        number=web.Field("number", gettext("Resident number"), value=request.form.get("number", ""), width=20),
        reason=web.Field("reason", gettext("How you know whose it is"), value=request.form.get("reason", "")),
        password=_password(),
        may_sign=bool(guard.principal().roles & set(SIGNERS)),
        refused=refused,
    )


def _password() -> web.Field:
    return web.Field("password", gettext("Password"), "password", autocomplete="current-password")
