"""Access in a browser: signing in, one's own sign-ins and passkeys, actions of two."""

from cardsvc import web
from cardsvc.access.pages import account, passkeys, sign_in
from cardsvc.access.pages.acting import make_actions
from cardsvc.access.pages.card import blueprint as card_blueprint

__all__ = ["blueprint", "card_blueprint", "make_actions"]

blueprint = web.PageBlueprint("access_pages", __name__, root_path=sign_in.ROOM)
sign_in.add(blueprint)
passkeys.add(blueprint)
account.add(blueprint)
