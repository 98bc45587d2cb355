"""The page of one's own sign-in, and of all the others that run."""

from flask import make_response, redirect, render_template
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, web
from cardsvc.access import guard
from cardsvc.access.rules import Kind


def add(blueprint: web.PageBlueprint) -> None:
    @blueprint.get("/account")
    @guard.signed_in
    def account() -> str:
        asker = guard.principal()
        cards = access.cards_of_staff(web.session(), asker.subject_id) if asker.kind is Kind.STAFF else []
        return render_template("access/account.html", asker=asker, cards=cards)

    @blueprint.get("/account/sign-ins")
    @guard.signed_in
    def sign_ins() -> str:
        found = access.sign_ins_of(web.session(), guard.principal().subject_id, web.now())
        return render_template("access/sign_ins.html", sign_ins=found, here=guard.own_handle())

    @blueprint.post("/account/sign-ins/<string:handle>/end")
    @guard.signed_in
    def end_one(handle: str) -> BaseResponse:
        """End one sign-in; the one of this browser like any other."""
        subject_id = guard.principal().subject_id
        db.run(web.city().engine, lambda session: access.end_sign_in(session, subject_id, handle))
        return redirect("/account/sign-ins")

    @blueprint.post("/account/sign-ins/end")
    @guard.signed_in
    def end_sign_ins() -> BaseResponse:
        """Sign out everywhere: a lost phone, a counter left open."""
        subject_id = guard.principal().subject_id
        db.run(web.city().engine, lambda session: access.end_sign_ins(session, subject_id))
        response = make_response(redirect("/sign-in"))
        guard.delete_cookie(response)
        return response
