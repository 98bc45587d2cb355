"""A wallet's top-up reference: what the holder writes into a bank transfer, so that the money finds the wallet.

An ISO 11649 creditor reference: RF, two check digits, then the first 60 bits of the wallet's id in twelve characters.
It follows from the id, so nothing is stored and it never changes. Two wallets could share one (of a million: one chance
in a hundred thousand); then it names neither.
"""

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: nobody takes them for digits or each other
_LETTER_BITS: Final = 5
_LENGTH: Final = 12
_REST_BITS: Final = 128 - _LENGTH * _LETTER_BITS
_MODULUS: Final = 97
_WHOLE: Final = re.compile(rf"RF([0-9]{{2}})([{_LETTERS}]{{{_LENGTH}}})")
_BEGUN: Final = re.compile(r"(?<![0-9A-Z])RF ?[0-9]{2}")
_CARRIED: Final = re.compile(r"(?<![0-9A-Z])RF ?[0-9]{2}(?: ?[0-9A-Z]{4}){3}(?![0-9A-Z])")


def reference_of(wallet_id: UUID) -> str:
    """The reference of a wallet, without spaces: `RF76067KRQKW01XB`."""
    number = wallet_id.int >> _REST_BITS
    places = range((_LENGTH - 1) * _LETTER_BITS, -1, -_LETTER_BITS)
    body = "".join(_LETTERS[number >> place & (1 << _LETTER_BITS) - 1] for place in places)
    return f"RF{_MODULUS + 1 - _rest(body + 'RF00'):02d}{body}"


def spaced(reference: str) -> str:
    """As it is printed, in groups of four."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def is_reference(text: str) -> bool:
    """Whether it could be a wallet's reference: its form and its check digits are right."""
    found = _WHOLE.fullmatch(text)
    return found is not None and _rest(f"{found[2]}RF{found[1]}") == 1


def ids_of(reference: str) -> tuple[UUID, UUID]:
    """The least and the greatest id of the wallets that have this reference, which `is_reference`."""
    number = 0
    for letter in reference[-_LENGTH:]:
        number = number << _LETTER_BITS | _LETTERS.index(letter)
    least = number << _REST_BITS
    return UUID(int=least), UUID(int=least + (1 << _REST_BITS) - 1)


def carried(texts: Iterable[str]) -> str | None:
    """The reference that a bank's line carries, in capitals and without spaces; None: nothing in it begins like one.

    A mistyped one, or several different ones in one line, are told as they stand there: they name no wallet.
    """
    upper = [text.upper() for text in texts]
    begun = [found.start() for text in upper for found in _BEGUN.finditer(text)]
    if not begun:
        return None
    whole = [found[0].replace(" ", "") for text in upper for found in _CARRIED.finditer(text)]
    if len(set(whole)) == 1 and len(whole) == len(begun):
        return whole[0]
    return " ".join(text[found.start() : found.start() + _SHOWN] for text in upper for found in _BEGUN.finditer(text))[
        :_TOLD_MAX
    ]


_SHOWN: Final = 24
_TOLD_MAX: Final = 64  # what a record holds of it


def _rest(text: str) -> int:
    """ISO 7064 MOD 97-10: letters count as 10 to 35."""
    return int("".join(str(int(letter, 36)) for letter in text)) % _MODULUS
