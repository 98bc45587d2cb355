"""Every route says who may use it: `@guard.requires("clerk")`, `resident_only`, `signed_in` or `public`.

The API takes `Authorization: Bearer` and no cookie, pages take the cookie and nothing else: so a foreign site, whose
requests carry the cookie, reaches only what its form token protects. tests/test_routes_guarded.py walks the routes.
"""

import functools
import ipaddress
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, cast
from uuid import UUID

from flask import Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, web
from cardsvc.access import rules
from cardsvc.access.queries import NotSignedIn, Principal, handle_of, token_hash
from cardsvc.access.rules import Kind, Role
from cardsvc.errors import CityError, ErrorKind

P = ParamSpec("P")
View = Callable[P, Any]

READING = frozenset({"GET", "HEAD"})
_BEARER = "Bearer "
HOME = {Kind.STAFF: "/account", Kind.RESIDENT: "/wallet"}
BOOKKEEPERS = frozenset({Role.FINANCE, Role.TREASURER, Role.AUDITOR})

public = web.public


class NotAllowed(CityError):
    code = "not_allowed"
    kind = ErrorKind.FORBIDDEN

    def __init__(self, needed: Iterable[str]) -> None:
        super().__init__(f"This is for others: {', '.join(sorted(needed))}. Sign in as one of them.")


class NotAsked(CityError):
    code = "not_asked"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("A page of another site asked for this, not you. Open the sign-in page yourself.")


def requires(*roles: str) -> Callable[[View[P]], View[P]]:
    """For staff who hold at least one of the roles."""
    needed = rules.read_roles(roles)
    return _guarded(needed, lambda asker: bool(needed & asker.roles))


def resident_only(view: View[P]) -> View[P]:
    """For a resident, who sees what is theirs: `guard.principal().subject_id`."""
    return _guarded({"residents"}, lambda asker: asker.kind is Kind.RESIDENT)(view)


def signed_in(view: View[P]) -> View[P]:
    """For whoever is signed in."""
    return _guarded({"signed in"}, lambda _asker: True)(view)


def principal() -> Principal:
    """Who asks. Raises: NotSignedIn."""
    found: Principal | None = g.get("city_principal")
    if found is None:
        raise NotSignedIn
    return found


def token() -> str | None:
    """The token of this request, from the one place where this kind of route takes it."""
    if _is_api():
        header = request.headers.get("Authorization", "")
        return header.removeprefix(_BEARER) if header.startswith(_BEARER) else None
    return request.cookies.get(cookie_name())


def sign_in(username: str, password: str) -> access.SignedIn:
    """Sign in at this edge, counting a failure. Raises: InvalidCredentials, TooManyAttempts, TooManyFromHere,
    DemoCredentialsRefused, PasswordsRefused.
    """
    city, now = web.city(), web.now()
    address, way = _limited_address(), _way(access.Method.PASSWORD)
    try:
        # The check takes a twentieth of a second: in a unit that only reads, so that guesses do not stop the ledger.
        account = db.run(
            city.engine,
            lambda session: access.check_password(
                session,
                username,
                password,
                now,
                random_bytes=city.random_bytes,
                cost=city.settings.password_cost,
                allow_demo=not city.settings.is_production,
                address=address,
                staff_passwords=city.settings.sign_in.staff_passwords,
            ),
            read_only=True,
        )
        return db.run(
            city.engine,
            lambda session: access.open_sign_in(session, account, now, random_bytes=city.random_bytes, way=way),
        )
    except access.InvalidCredentials:
        # In a unit of its own: the one that failed is rolled back. If we stop here a guess went uncounted.
        db.run(city.engine, lambda session: access.note_failure(session, username, now, address=address))
        raise


def open_challenge(purpose: access.Purpose, subject_id: UUID | None = None) -> access.OpenChallenge:
    """A fresh nonce for whoever asks. Raises: NotAsked when a page of another site asks in somebody's browser."""
    _check_asked()
    city, now, address = web.city(), web.now(), _limited_address()
    return db.run(
        city.engine,
        lambda session: access.open_challenge(
            session, purpose, now, random_bytes=city.random_bytes, subject_id=subject_id, address=address
        ),
    )


def card_challenge(binding: bytes) -> access.OpenChallenge:
    """The nonce of a sign-in by card that this browser began a moment ago, else a fresh one. Raises: NotAsked."""
    _check_asked()
    now = web.now()
    waiting = db.run(
        web.city().engine,
        lambda session: access.waiting_challenge(session, access.Purpose.CARD, binding, now),
        read_only=True,
    )
    return waiting or open_challenge(access.Purpose.CARD)


def _check_asked() -> None:
    """Browsers say what for they ask (Fetch Metadata): a picture in another site's page begins no sign-in here."""
    site, what_for = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Sec-Fetch-Dest", "document")
    if what_for not in {"document", "empty"} or (site == "cross-site" and what_for == "empty"):
        raise NotAsked


def take_challenge(purpose: access.Purpose, binding: bytes, *, subject_id: UUID | None = None) -> access.TakenChallenge:
    """Use a nonce up, in a unit of its own: whatever fails afterwards, it was answered. If we stop here the person
    begins again. Raises: ChallengeGone, also when it was given to somebody else than `subject_id`.
    """
    now = web.now()
    taken = db.run(web.city().engine, lambda session: access.take_challenge(session, purpose, binding, now))
    if taken.subject_id != subject_id:
        raise access.ChallengeGone
    return taken


def sign_in_with_card(binding: bytes, token_text: str) -> access.SignedIn:
    """Sign in with what a card signed. Raises: MalformedToken, ChallengeGone, CardNotAccepted, CardIsNobodys."""
    city, now = web.city(), web.now()
    nonce = take_challenge(access.Purpose.CARD, binding).nonce
    card = access.verify_token(
        access.read_token(token_text),
        origin=city.settings.public_url,
        nonce=nonce,
        authorities=city.vault.certificates("card-ca"),
        at=now,
    )
    way = _way(access.Method.CARD, card.key_id)
    return db.run(
        city.engine,
        lambda session: access.sign_in_with_card(
            session, card, now, way=way, random_bytes=city.random_bytes, allow_demo=not city.settings.is_production
        ),
    )


def site() -> access.Site:
    """Where passkeys count."""
    settings = web.city().settings
    return access.Site(settings.public_url, settings.city_name)


def sign_in_with_passkey(binding: bytes, credential: str) -> access.SignedIn:
    """Sign in with what a passkey signed. Raises: ChallengeGone, PasskeyNotAccepted, DemoCredentialsRefused."""
    city, now, here, way = web.city(), web.now(), site(), _way(access.Method.PASSKEY)
    nonce = take_challenge(access.Purpose.PASSKEY, binding).nonce
    return db.run(
        city.engine,
        lambda session: access.sign_in_with_passkey(
            session,
            here,
            credential,
            now,
            nonce=nonce,
            way=way,
            random_bytes=city.random_bytes,
            allow_demo=not city.settings.is_production,
        ),
    )


def sign_action(
    handlers: access.ActionHandlers, action_id: UUID, *, signature: bytes | None, password: str | None
) -> access.ActionView:
    """Take the signature of whoever asks, by card or by the password that opens their own key.

    Raises: as `access.sign_action`; WrongPassword.
    """
    by, now = principal().subject_id, web.now()
    if signature is None:
        # a unit that only reads: opening the key takes a while
        signature = db.run(
            web.city().engine,
            lambda session: access.sign_action_as(
                session, by, password or "", access.action(session, action_id, now).action_bytes
            ),
            read_only=True,
        )
    return access.sign_action(web.session(), handlers, action_id, by=by, signature=signature, now=now)


def check_holder(staff_id: rules.StaffId, password: str) -> None:
    """Whether the password is the staff member's, who stands beside whoever asks. A wrong one counts against both.

    Raises: WrongPassword; TooManyAttempts.
    """
    city, now = web.city(), web.now()
    try:
        # a unit that only reads: the check takes a while
        db.run(
            city.engine,
            lambda session: access.check_own_password(session, staff_id, password, now),
            read_only=True,
        )
    except access.WrongPassword:
        if staff_id != principal().subject_id:  # one's own is counted with every other wrong one
            web.session().rollback()  # its lock must not keep the count out
            db.run(city.engine, lambda session: access.note_wrong_guess(session, staff_id, now))
        raise


def own_handle() -> str:
    """Which of one's sign-ins this one is."""
    return handle_of(token_hash(token() or ""))


def is_fresh() -> bool:
    """Whether this sign-in is young enough to change how one signs in: who left a browser open left no more than that
    open (ASVS 5.0 V7.5.1).
    """
    return web.now() - principal().began_at < rules.STEP_UP_WITHIN


def _way(method: access.Method, key_id: bytes | None = None) -> access.Way:
    return access.Way(method, key_id, request.remote_addr, request.user_agent.string)


def _limited_address() -> str | None:
    """Where the request comes from, for counting: an IPv4 address, or the /64 that one subscriber has of IPv6. None for
    this machine, behind which everybody may stand (a proxy that CITY_PROXIES does not name).
    """
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return None if address.is_loopback else str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)


def sign_out() -> None:
    """End the sign-in of this request, if it has one."""
    held = token()
    if held is not None:
        db.run(web.city().engine, lambda session: access.sign_out(session, held))


def home_of(asker: Principal) -> str:
    """The path of the first page of whoever is signed in."""
    return "/finance" if BOOKKEEPERS & asker.roles else HOME[asker.kind]


# The cookie: only the server reads it, only this site's own navigation sends it, and it ends with the browser.


def cookie_name() -> str:
    return "__Host-city" if web.city().settings.is_https else "city"


def set_cookie(response: Response, value: str) -> None:
    response.set_cookie(
        cookie_name(), value, path="/", secure=web.city().settings.is_https, httponly=True, samesite="Lax"
    )


def delete_cookie(response: Response) -> None:
    response.delete_cookie(cookie_name(), path="/", secure=web.city().settings.is_https, httponly=True, samesite="Lax")


def recognise() -> Principal | None:
    """Who asks, also on a public page; nobody is no error. Sets what `principal` and the page's header show."""
    if "city_principal" in g:
        return cast("Principal", g.city_principal)
    held, city, now = token(), web.city(), web.now()
    if held is None:
        return None
    try:
        found = db.run(city.engine, lambda session: access.session_of(session, held, now), read_only=True)
    except NotSignedIn:
        return None
    # In a unit of its own, because a request that only reads may not write. If we stop here somebody signs in again
    # a minute early.
    if now - found.seen_at >= rules.SEEN_EVERY:
        db.run(city.engine, lambda session: access.note_seen(session, held, now))
    g.city_principal = found
    web.welcome(web.Visitor(found.name, home_of(found)))
    return found


def _guarded(needed: Iterable[str], may: Callable[[Principal], bool]) -> Callable[[View[P]], View[P]]:
    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            asker = recognise()
            if asker is None:
                return _ask_to_sign_in()
            if not may(asker):
                raise NotAllowed(needed)
            try:
                return view(*args, **kwargs)
            except access.WrongPassword:
                _count_wrong_password(asker)
                raise

        guarded.city_access = frozenset(needed)  # type: ignore[attr-defined]
        return guarded

    return decorate


def _ask_to_sign_in() -> BaseResponse:
    if _is_api() or request.method not in READING:
        raise NotSignedIn
    return redirect(url_for("access_pages.sign_in", next=request.full_path.rstrip("?")))


def _count_wrong_password(asker: Principal) -> None:
    web.session().rollback()  # nothing of this request stays, and its lock must not keep the count out
    city, now = web.city(), web.now()
    db.run(
        city.engine,
        lambda session: access.note_failure(
            session, asker.username, now, subject_id=asker.subject_id, address=_limited_address()
        ),
    )


def _is_api() -> bool:
    return isinstance(current_app.blueprints.get(request.blueprint or ""), web.ApiBlueprint)
