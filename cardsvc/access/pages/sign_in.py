"""Signing in and out in a browser, by password, by card or by passkey."""

from pathlib import Path

from flask import Response, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, web
from cardsvc.access import guard

ROOM = str(Path(__file__).parent.parent)  # where this room's templates are


def add(blueprint: web.PageBlueprint) -> None:
    @blueprint.get("/")
    @guard.public
    def first() -> BaseResponse:
        """The first page is one's own; whoever is not signed in is asked to."""
        asker = guard.recognise()
        return redirect(guard.home_of(asker) if asker else "/sign-in")

    @blueprint.get("/sign-in")
    @guard.public
    def sign_in() -> BaseResponse:
        """`again` asks somebody who is signed in to show once more who they are."""
        asker = guard.recognise()
        if asker is not None and "again" not in request.args:
            return redirect(guard.home_of(asker))
        return _form()

    @blueprint.post("/sign-in")
    @guard.public
    def do_sign_in() -> BaseResponse:
        username, password = request.form.get("username", ""), request.form.get("password", "")
        if not username or not password:
            return _form(gettext("Enter your user name and your password."), 422)
        try:
            made = guard.sign_in(username, password)
        except access.InvalidCredentials:
            return _form(gettext("The user name or the password is wrong. Try again."), 401)
        except (access.TooManyAttempts, access.TooManyFromHere) as error:
            return _form(str(error), 429)
        except (access.DemoCredentialsRefused, access.PasswordsRefused) as error:
            return _form(str(error), 403)
        return welcome(made, request.form.get("next", ""))

    @blueprint.post("/sign-out")
    @guard.public
    def sign_out() -> BaseResponse:
        """Also for whoever is signed out already: the button must never fail."""
        guard.sign_out()
        response = make_response(redirect("/sign-in"))
        guard.delete_cookie(response)
        return response


def welcome(made: access.SignedIn, destination: str) -> Response:
    """Send whoever just signed in on, with a new token; the one that the browser had before ends."""
    guard.sign_out()
    response = make_response(redirect(local(destination) or guard.home_of(made.principal)))
    guard.set_cookie(response, made.token)
    return response


def local(destination: str) -> str:
    """The destination if it is a path of ours, else nothing: nobody is sent on to a foreign site."""
    is_ours = destination.startswith("/") and not destination.startswith(("//", "/\\")) and destination.isprintable()
    return destination if is_ours else ""


def _form(refused: str = "", status: int = 200) -> Response:
    fields = [
        web.Field(
            "username", gettext("User name"), value=request.form.get("username", ""), autocomplete="username", width=20
        ),
        web.Field("password", gettext("Password"), "password", autocomplete="current-password"),
    ]
    destination = local(request.values.get("next", ""))
    if destination:
        fields.append(web.Field("next", "", "hidden", value=destination))
    again = "again" in request.args
    page = render_template(
        "access/sign_in.html",
        fields=fields,
        refused=refused,
        again=again,
        next=destination,
        passkeys=guard.site().takes_passkeys,
    )
    return make_response(page, status)
