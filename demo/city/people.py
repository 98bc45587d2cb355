"""Made-up residents: common Filipino names, the city's barangays, believable ages. Same seed, same people."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent / "data"
_STREETS: Final = (
    "Mabini St", "Rizal Ave", "Bonifacio St", "Sampaguita St", "Kalayaan Ave", "P. Burgos St", "J.P. Rizal Ext",
    "Estrella Ave", "Dapitan St", "Molave St", "Narra St", "Yakal St", "Kamagong St", "Pasong Tamo Ext",
)  # fmt: skip
# Shares of the age groups in percent: the young have no card, the old are many, for they are whom the city pays.
_AGES: Final = ((18, 29, 30), (30, 44, 26), (45, 59, 20), (60, 69, 12), (70, 79, 8), (80, 95, 4))
_NO_MIDDLE_NAME: Final = 0.04
_HAS_MOBILE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Person:
    """`middle_name` and `mobile` are None where the person has none; `sex` is "F" or "M"."""

    family_name: str
    given_name: str
    middle_name: str | None
    birth_date: date
    sex: str
    barangay_code: str
    barangay_name: str
    address: str
    mobile: str | None


def people(seed: int, count: int, today: date) -> list[Person]:
    """So many people, no two with the same name and birth date."""
    chance = random.Random(f"people:{seed}")
    made: list[Person] = []
    seen: set[tuple[str, str, date]] = set()
    for person in _endless(chance, today):
        key = person.family_name, person.given_name, person.birth_date
        if key not in seen:
            seen.add(key)
            made.append(person)
        if len(made) == count:
            break
    return made


def _endless(chance: random.Random, today: date) -> Iterator[Person]:
    names = json.loads((_DATA / "names.json").read_text(encoding="utf-8"))
    barangays = json.loads((_DATA / "makati_barangays.json").read_text(encoding="utf-8"))["barangays"]
    given = {"F": names["given_names_female"], "M": names["given_names_male"]}
    surnames = names["surnames"]
    while True:
        sex = chance.choice("FM")
        first = chance.choice(given[sex])
        second = chance.choice(given[sex])
        barangay = chance.choice(barangays)
        yield Person(
            family_name=chance.choice(surnames),
            given_name=first if first == second or chance.random() < 0.5 else f"{first} {second}",  # noqa: PLR2004
            middle_name=None if chance.random() < _NO_MIDDLE_NAME else chance.choice(surnames),
            birth_date=_birth_date(chance, today),
            sex=sex,
            barangay_code=barangay["psgc"],
            barangay_name=barangay["name"],
            address=f"{chance.randint(1, 1890)} {chance.choice(_STREETS)}, {barangay['name']}",
            mobile=f"+63917{chance.randint(0, 9_999_999):07d}" if chance.random() < _HAS_MOBILE else None,
        )


def _birth_date(chance: random.Random, today: date) -> date:
    low, high, _ = chance.choices(_AGES, weights=[share for _, _, share in _AGES])[0]
    return today - timedelta(days=chance.randint(low * 365 + low // 4 + 1, high * 365 + high // 4 + 300))


def age(person: Person, on: date) -> int:
    """Whole years on that day."""
    before_birthday = (on.month, on.day) < (person.birth_date.month, person.birth_date.day)
    return on.year - person.birth_date.year - before_birthday
