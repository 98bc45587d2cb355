"""Who is compared with whom: entries that share a key. Comparing everybody with everybody would take years.

Each key survives other mistakes: a wrong date, a name written by ear, names in each other's place, a lost field. Each
is narrow too: in a city of 300,000 an entry has some twenty others to be compared with, not hundreds.
"""

import hashlib
from functools import lru_cache
from typing import Final

from cardsvc.residents.rules.matching import Facts, without_particle

BLOCK_MAX: Final = 50
"""A key that more people share says nothing (one birth date for foundlings, one mobile for a purok): not followed.

An entry has eight keys at most, so there are never more than 400 to compare it with, however large the register.
"""

# What sounds the same in Spanish, Filipino and English names; the longer spelling first.
_SOUNDS: Final = (
    ("ph", "f"), ("ce", "se"), ("ci", "si"), ("ge", "he"), ("gi", "hi"), ("ch", "k"), ("qu", "k"), ("ll", "y"),
    ("th", "t"), ("c", "k"), ("q", "k"), ("x", "s"), ("z", "s"), ("v", "b"), ("f", "p"), ("j", "h"), ("w", "u"),
    ("d", "t"), ("g", "k"),
)  # fmt: skip
_SILENT: Final = frozenset("aeiouyh ")
SOUND_LENGTH: Final = 4


@lru_cache(maxsize=20_000)
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
    day = "".join(sorted(born[4:]))
    texts = [
        born and f"date {born} {facts.sex}",
        family and given and f"names {' '.join(sorted((family, given)))} {facts.middle_name[:1]}",
        family and born and f"family {family} {born[:4]} {facts.given_name[:1]}",
        family and born and f"day {family} {day} {facts.sex}",
        given and born and f"given {given} {day} {facts.sex}",
        facts.mobile and f"mobile {facts.mobile}",
        *_house_keys(facts),
    ]
    return frozenset(_number(text) for text in texts if text)


def _house_keys(facts: Facts) -> list[str]:
    """The house with the beginning of a name and the sex: a household is not one person."""
    words = facts.address.split()
    house = next((word for word in words if word[0].isdigit()), "")
    street = max((word for word in words if word.isalpha()), key=len, default="")
    if not house or not street:
        return []
    place = f"house {house} {sound(street)} {facts.sex}"
    return [f"{place} {name[:2]}" for name in (facts.given_name, facts.family_name) if name]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
