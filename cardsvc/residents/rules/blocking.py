"""Who is compared with whom: entries that share a key. Comparing everybody with everybody would take years.

Each key survives other mistakes: a wrong date, a name written by ear, names in each other's place, a lost field.
"""

import hashlib
from functools import lru_cache
from typing import Final

from cardsvc.residents.rules.matching import Facts, without_particle

BLOCK_MAX: Final = 200
"""A key that more people share says nothing (one birth date for foundlings, one mobile for a purok): not followed."""

# What sounds the same in Spanish, Filipino and English names; the longer spelling first.
_SOUNDS: Final = (
    ("ph", "f"), ("ce", "se"), ("ci", "si"), ("ge", "he"), ("gi", "hi"), ("ch", "k"), ("qu", "k"), ("ll", "y"),
    ("th", "t"), ("c", "k"), ("q", "k"), ("x", "s"), ("z", "s"), ("v", "b"), ("f", "p"), ("j", "h"), ("w", "u"),
    ("d", "t"), ("g", "k"),
)  # fmt: skip
_SILENT: Final = frozenset("aeiouyh ")
SOUND_LENGTH: Final = 4


@lru_cache(maxsize=100_000)
def sound(name: str) -> str:
    """The name as it is heard: its first letter and the next consonants, at most four."""
    heard = name
    for spelled, said in _SOUNDS:
        heard = heard.replace(spelled, said)
    letters = heard[:1]
    for letter in heard[1:]:
        if letter not in _SILENT and letter != letters[-1]:
            letters += letter
    return letters[:SOUND_LENGTH]


def keys(facts: Facts) -> frozenset[int]:
    """The keys under which this entry is found, as signed 64-bit numbers (what both databases index best)."""
    family, given, born = sound(without_particle(facts.family_name)), sound(facts.given_name), facts.birth_date
    texts = [
        born and f"date {born}",
        family and given and f"names {' '.join(sorted((family, given)))} {facts.middle_name[:1]}",
        family and born and f"family {family} {born[:4]} {facts.given_name[:1]}",
        family and born and f"day {family} {''.join(sorted(born[4:]))}",
        given and born and f"given {given} {''.join(sorted(born[4:]))} {facts.sex}",
        facts.mobile and f"mobile {facts.mobile}",
        *_address_keys(facts),
    ]
    return frozenset(_number(text) for text in texts if text)


def _address_keys(facts: Facts) -> list[str]:
    """The house, and the street of a barangay, each with the beginning of a name: a household is not one person."""
    words = facts.address.split()
    house = next((word for word in words if word[0].isdigit()), "")
    street = max((word for word in words if word.isalpha()), key=len, default="")
    if not street:
        return []
    places = [f"house {house} {sound(street)}"] if house else []
    places += [f"street {facts.barangay_code} {sound(street)}"] if facts.barangay_code else []
    return [f"{place} {name[:2]}" for place in places for name in (facts.given_name, facts.family_name) if name]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
