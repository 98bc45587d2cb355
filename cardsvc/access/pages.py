"""Signing in and out in a browser, and the page of one's own sign-in."""

from flask import Response, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, web
from cardsvc.access import guard

blueprint = web.PageBlueprint("access_pages", __name__)


@blueprint.get("/")
@guard.public
def first() -> BaseResponse:
    """The first page is one's own; whoever is not signed in is asked to."""
    asker = guard.recognise()
    return redirect(guard.home_of(asker) if asker else "/sign-in")


@blueprint.get("/sign-in")
@guard.public
def sign_in() -> BaseResponse:
    asker = guard.recognise()
    if asker is not None:
        return redirect(guard.home_of(asker))
    return _form()


@blueprint.post("/sign-in")
@guard.public
def do_sign_in() -> BaseResponse:
    """A new token at every sign-in; the one that the browser had before ends."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    if not username or not password:
        return _form(gettext("Enter your user name and your password."), 422)
    try:
        made = guard.sign_in(username, password)
    except access.InvalidCredentials:
        return _form(gettext("The user name or the password is wrong. Try again."), 401)
    except access.TooManyAttempts as error:
        return _form(str(error), 429)
    except access.DemoCredentialsRefused as error:
        return _form(str(error), 403)
    guard.sign_out()
    response = make_response(redirect(_local(request.form.get("next", "")) or guard.home_of(made.principal)))
    guard.set_cookie(response, made.token)
    return response


@blueprint.post("/sign-out")
@guard.public
def sign_out() -> BaseResponse:
    """Also for whoever is signed out already: the button must never fail."""
    guard.sign_out()
    response = make_response(redirect("/sign-in"))
    guard.delete_cookie(response)
    return response


@blueprint.get("/account")
@guard.signed_in
def account() -> str:
    return render_template("access/account.html", asker=guard.principal())


@blueprint.post("/account/sign-ins/end")
@guard.signed_in
def end_sign_ins() -> BaseResponse:
    """Sign out everywhere: a lost phone, a counter left open."""
    subject_id = guard.principal().subject_id
    db.run(web.city().engine, lambda session: access.end_sign_ins(session, subject_id))
    response = make_response(redirect("/sign-in"))
    guard.delete_cookie(response)
    return response


def _form(refused: str = "", status: int = 200) -> Response:
    fields = [
        web.Field(
            "username", gettext("User name"), value=request.form.get("username", ""), autocomplete="username", width=20
        ),
        web.Field("password", gettext("Password"), "password", autocomplete="current-password"),
    ]
    destination = _local(request.values.get("next", ""))
    if destination:
        fields.append(web.Field("next", "", "hidden", value=destination))
    return make_response(render_template("access/sign_in.html", fields=fields, refused=refused), status)


def _local(destination: str) -> str:
    """The destination if it is a path of ours, else nothing: nobody is sent on to a foreign site."""
    is_ours = destination.startswith("/") and not destination.startswith(("//", "/\\")) and destination.isprintable()
    return destination if is_ours else ""
