"""Access over HTTP: signing in, staff and their cards, signatures, actions of two."""

from cardsvc import web
from cardsvc.access.api import acting, sign_in, signatures, staff
from cardsvc.access.api.acting import make_actions
from cardsvc.access.api.signatures import NotSignable, NotYourRecord, signer_of
from cardsvc.access.api.staff import make_staff

__all__ = ["NotSignable", "NotYourRecord", "acting", "blueprint", "make_actions", "make_staff", "signer_of", "staff"]

blueprint = web.ApiBlueprint("access", __name__, url_prefix="/v1", description="Signing in, signing records")
sign_in.add(blueprint)
signatures.add(blueprint)
