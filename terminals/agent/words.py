"""Words in the reader's language; flask_babel has no types."""

from flask_babel import gettext


def translated(text: str, **values: object) -> str:
    return str(gettext(text, **values))
