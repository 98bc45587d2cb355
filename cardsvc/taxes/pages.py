"""A resident pays a bill in a browser: sees what it is, signs with a passkey, and is shown the receipt."""

import base64
import binascii
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, transactions, wallets, web
from cardsvc.access import guard
from cardsvc.money import CURRENCY
from cardsvc.taxes import queries, rules
from crypto.wire.taxes import TaxPayment

pages = web.PageBlueprint("tax_pages", __name__, template_folder="templates")
_PATH = "/wallet/bills/<uuid:bill_id>"


@pages.get(_PATH)
@guard.resident_only
def show(bill_id: UUID) -> str:
    """One of one's own bills: to be paid, or paid."""
    return _page(_own(bill_id), "")


@pages.post(_PATH)
@guard.resident_only
def pay(bill_id: UUID) -> BaseResponse:
    """Take what the passkey signed. The page that is sent twice is answered twice the same."""
    bill = _own(bill_id)
    try:
        result = transactions.perform_by_passkey(_bytes("record"), request.form.get("credential", ""))
    except (access.PasskeyNotAccepted, transactions.DraftUnusable, transactions.RecordIdConflict) as error:
        return make_response(_page(bill, str(error)), 409)
    if result.outcome != "accepted":
        return make_response(_page(_own(bill_id), result.detail or ""), 409)
    return redirect(url_for(".show", bill_id=bill_id))


def _own(bill_id: UUID) -> queries.Bill:
    """Anybody may pay a bill at a kiosk; in a browser one sees one's own. Raises: UnknownBill."""
    by = guard.principal().subject_id
    # a unit of its own: the request's would be in the way of the one that pays
    found = db.run(web.city().engine, lambda session: queries.bill_of(session, bill_id, by), read_only=True)
    if found is None:
        raise rules.UnknownBill("of this address")
    return found


def _page(bill: queries.Bill, refused: str) -> str:
    payment = TaxPayment(bill.id, bill.total_cents, CURRENCY)
    record = options = ""
    if bill.state == "open" and guard.site().takes_passkeys:
        encoded = transactions.draft_for_passkey(payment)
        try:
            resident_id = guard.principal().subject_id
            options = access.record_options(web.session(), guard.site(), resident_id, encoded)
        except access.NoSigningPasskey:
            encoded = b""
        record = base64.urlsafe_b64encode(encoded).decode()
    mine = wallets.of_resident(web.session(), guard.principal().subject_id)
    return render_template(
        "taxes/bill.html",
        bill=bill,
        number=None if bill.paid_record is None else _official(bill.paid_record),
        balance_cents=_balance(mine.id),
        record=record,
        options=options,
        refused=refused,
        possible=guard.site().takes_passkeys,
    )


def _balance(wallet_id: UUID) -> int:
    return wallets.summary(web.session(), wallet_id).balance_cents


def _official(record_id: UUID) -> str:
    stored = transactions.stored(web.session(), record_id)
    return "" if stored is None else stored.official_number or ""


def _bytes(name: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(request.form.get(name, "").encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return b""
