"""A resident's own automatic top-up: what is agreed, and the way to end it."""

from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import wallets, web
from cardsvc.access import guard
from cardsvc.finance import queries
from cardsvc.finance.actions import mandates
from cardsvc.finance.rules.mandates import DAY_MAX, NoMandate, UnfitMandate, may_give
from cardsvc.money import InvalidAmount, parse_pesos

own_pages = web.PageBlueprint("own_top_up_pages", __name__, template_folder="../templates", url_prefix="/wallet")


@own_pages.get("/top-up")
@guard.resident_only
def show() -> str:
    """What is agreed; and a form, where a purse may give."""
    return _page("")


@own_pages.post("/top-up")
@guard.resident_only
def give() -> BaseResponse:
    """Agree to it, instead of to what was agreed before."""
    try:
        mandates.give_mandate(
            web.session(),
            _own_wallet(),
            source=request.form.get("source", "")[:32],
            threshold_cents=parse_pesos(request.form.get("threshold", "")),
            amount_cents=parse_pesos(request.form.get("amount", "")),
            day_max=request.form.get("day_max", 1, type=int),
            by=guard.principal().subject_id,
            consent="",
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )
    except (UnfitMandate, InvalidAmount) as error:
        web.session().rollback()
        return make_response(_page(str(error)), 422)
    return redirect(url_for(".show"), 303)


@own_pages.post("/top-up/end")
@guard.resident_only
def end() -> BaseResponse:
    """From now on nothing is done by it; ended twice it is ended."""
    try:
        mandates.end_mandate(web.session(), _own_wallet(), by=guard.principal().subject_id, now=web.now())
    except NoMandate:
        web.session().rollback()
    return redirect(url_for(".show"), 303)


def _own_wallet() -> UUID:
    return wallets.of_resident(web.session(), guard.principal().subject_id).id


def _page(refused: str) -> str:
    session, mine, form = web.session(), _own_wallet(), request.form
    able = [purse.name for purse in wallets.purse_accounts(session, [mine])[mine] if may_give(purse)]
    times = tuple((str(count), str(count)) for count in range(1, DAY_MAX + 1))
    return render_template(
        "finance/own_top_up.html",
        mandate=queries.mandate_of(session, mine),
        fields=[
            web.Field("source", gettext("From"), "select", choices=tuple((name, name) for name in able), value=able[0]),
            web.Field("threshold", gettext("When the balance is below"), "amount", value=form.get("threshold", "")),
            web.Field("amount", gettext("Amount each time"), "amount", value=form.get("amount", "")),
            web.Field("day_max", gettext("Times a day at most"), "select", choices=times, value="1"),
        ]
        if able
        else [],
        refused=refused,
    )
