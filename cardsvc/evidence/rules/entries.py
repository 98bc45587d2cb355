"""An entry as its line says it: whether it balances, what it hashes to, and what it does to the accounts."""

import hashlib
import json
from datetime import date
from typing import Final

import cbor2

from cardsvc.evidence.rules.lines import BadLine, read_text
from cardsvc.evidence.rules.results import Movement

_DOMAIN: Final = "city.entry"
_EPOCH: Final = date(1970, 1, 1).toordinal()
LINES_MIN: Final = 2
REVERSAL: Final = 90

Lines = list[tuple[str, int]]


def read_postings(field: bytes) -> Lines:
    """The lines of an entry as they are hashed: account and cents, debit positive. Raises: BadLine."""
    found: Lines = []
    for part in field.decode().split(" ") if field else ():
        code, _, cents = part.rpartition("=")
        try:
            found.append((code, int(cents)))
        except ValueError as error:
            raise BadLine("a posting is not an account and its cents") from error
    return found


def read_metadata(field: bytes) -> list[list[str]]:
    """The pairs in their order. Raises: BadLine."""
    if not field:
        return []
    try:
        pairs = json.loads(read_text(field.decode()) or "")
    except ValueError as error:
        raise BadLine("the metadata is not JSON") from error
    if type(pairs) is not list or not all(type(pair) is list and len(pair) == 2 for pair in pairs):  # noqa: PLR2004
        raise BadLine("the metadata is not a list of pairs")
    return pairs


def read_day(field: bytes) -> int | None:
    """Days since 1970. Raises: BadLine."""
    try:
        return date.fromisoformat(field.decode()).toordinal() - _EPOCH if field else None
    except ValueError as error:
        raise BadLine("the accounting date is no date") from error


def entry_hash(facts: list[object], lines: Lines, booked_on: bytes, metadata: bytes) -> bytes:
    """SHA-256 over what the ledger keeps of an entry (docs/evidence-format). `facts`: id, kind, currency, happened,
    recorded, rule, the id of the entry that it takes back. Raises: BadLine.
    """
    if not booked_on and not metadata:
        return hashlib.sha256(cbor2.dumps([_DOMAIN, 1, *facts, lines])).digest()
    noted = [read_day(booked_on), read_metadata(metadata)]
    return hashlib.sha256(cbor2.dumps([_DOMAIN, 2, *facts, lines, *noted])).digest()


def fault(lines: Lines) -> str | None:
    """Why these lines are no entry."""
    if len(lines) < LINES_MIN:
        return "it has fewer than two lines"
    total = sum(cents for _, cents in lines)
    if total:
        return f"it does not balance: its lines sum to {total} cents"
    return None if all(cents for _, cents in lines) else "one of its lines moves nothing"


class Accounts:
    """What the entries of a stretch do to each account, one after the other."""

    def __init__(self) -> None:
        self.movements: dict[str, Movement] = {}

    def post(self, lines: Lines, currency: str, leaf: int, recorded_at: int) -> str | None:
        """Take an entry in; the account that was kept in another currency before, if one was."""
        other = None
        for code, cents in lines:
            seen = self.movements.get(code)
            if seen is None:
                low, high = min(cents, 0), max(cents, 0)
                self.movements[code] = Movement(
                    currency, cents, low, leaf, high, leaf, leaf, leaf, recorded_at, recorded_at
                )
                continue
            seen.sum += cents
            if seen.sum < seen.lowest:
                seen.lowest, seen.lowest_at = seen.sum, leaf
            elif seen.sum > seen.highest:
                seen.highest, seen.highest_at = seen.sum, leaf
            seen.last, seen.last_recorded = leaf, recorded_at
            if seen.currency != currency:
                other = code
        return other


def opposite(lines: Lines) -> Lines:
    """What takes these lines back, in an order of its own."""
    return sorted((code, -cents) for code, cents in lines)


def same_lines(lines: Lines) -> Lines:
    return sorted(lines)
