"""The city's web app for tests: built once, lent to one city after another.

To build it takes longer than most tests run: every route is compiled and described. What an app knows of its city is
what `web.init` was given; all else is the same for every city with the same settings and keys.
"""

from flask import Flask

from cardsvc import app as application
from cardsvc import web
from tests.promised import hold_to_its_document

_IDLE_MAX = 2
_idle: list[Flask] = []


def lend(city: web.City) -> Flask:
    """The app of this city, until it is given back. No test may get an answer that its document does not name."""
    made = next((app for app in _idle if _serves_alike(app, city)), None)
    if made is None:
        made = application.app_of(city)
        hold_to_its_document(made)
    else:
        _idle.remove(made)
    made.extensions["city"] = city
    made.testing = True
    return made


def give_back(app: Flask) -> None:
    """The next such city may have it; what the last one left in this process goes with that city."""
    app.extensions.pop("taking", None)
    _idle.append(app)
    del _idle[:-_IDLE_MAX]


def _serves_alike(app: Flask, city: web.City) -> bool:
    """Whether all that the app was built with is this city's too."""
    served: web.City = app.extensions["city"]
    return served.vault is city.vault and all(
        getattr(served.settings, name) == getattr(city.settings, name) for name in ("is_https", "city_name", "sign_in")
    )
