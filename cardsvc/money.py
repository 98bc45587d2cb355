"""Money is an integer of centavos with a currency beside it. Here it becomes text, and text becomes it."""

import re

from cardsvc.errors import CityError, ErrorKind

CURRENCY = "PHP"
CENTS = 100
AMOUNT_MAX = 2**63 - 1  # centavos; what a column and the wire can hold
_SIGN, _MINUS = "₱", "\N{MINUS SIGN}"

# Groups of three or none at all, at most two decimals; ASCII digits only, because int() also takes other scripts'.
_PESOS = re.compile(
    r"(?P<minus>[-\N{MINUS SIGN}])?₱?(?P<pesos>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<cents>[0-9]{2}))?"
)


class InvalidAmount(CityError):
    code = "invalid_amount"
    kind = ErrorKind.INVALID

    def __init__(self, text: str) -> None:
        super().__init__(f"“{text[:40]}” is not an amount in pesos; write it like 1,234.50.")


def show(cents: int) -> str:
    """Centavos as people read them: ₱1,234.50, with a true minus sign before the currency."""
    pesos, rest = divmod(abs(cents), CENTS)
    return f"{_MINUS if cents < 0 else ''}{_SIGN}{pesos:,}.{rest:02d}"


def parse_pesos(text: str) -> int:
    """The centavos of "1,234.50", "1234.50", "1234" or what `show` wrote; never rounds.

    Raises: InvalidAmount.
    """
    match = _PESOS.fullmatch(text.strip())
    if match is None:
        raise InvalidAmount(text)
    cents = int(match["pesos"].replace(",", "")) * CENTS + int(match["cents"] or 0)
    if cents > AMOUNT_MAX:
        raise InvalidAmount(text)
    return -cents if match["minus"] else cents
