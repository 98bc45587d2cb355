"""Whether two entries are one person: a weight for each field, added up and explained.

After Fellegi and Sunter, "A Theory for Record Linkage" (1969): a weight is how many times likelier it is to see this
agreement between two entries of one person than between two people, in tenths of a power of two. The weights were set
by what Philippine registers get wrong, and the thresholds chosen on one public data set (docs/cardsvc-residents.md).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from cardsvc.residents.rules.register import Registration, normalise_name
from cardsvc.residents.rules.similarity import dice, is_slip, jaro_winkler
from cardsvc.settings import DedupeSettings

# "Ma. Cristina" is Maria Cristina to everybody; other short names are different names often enough to be looked at.
_WRITTEN_OUT: Final = {"ma": "maria", "mma": "maria", "sto": "santo", "sta": "santa"}
_PARTICLE: Final = re.compile(r"^(?:delos|delas|dela|del|de|los|las|la)(?=[a-z]{3})")
_SUFFIXES: Final = frozenset({"jr", "sr", "junior", "senior", "ii", "iii", "iv", "v"})
_SUFFIX: Final = {"junior": "jr", "senior": "sr"}

NEAR: Final = 0.91
ALIKE: Final = 0.83
ADDRESS_NEAR: Final = 0.75
ADDRESS_ALIKE: Final = 0.5
WRONG_DIGITS_MAX: Final = 2


class Agreement(StrEnum):
    """How a field of two entries compares. `MISSING`: one of them does not say."""

    EQUAL = "equal"
    NEAR = "near"
    ALIKE = "alike"
    DIFFERENT = "different"
    MISSING = "missing"


class Verdict(StrEnum):
    SAME = "same"
    LOOK = "look"
    DIFFERENT = "different"


WEIGHTS: Final[dict[str, dict[Agreement, int]]] = {
    "family_name": {Agreement.EQUAL: 80, Agreement.NEAR: 60, Agreement.ALIKE: 25, Agreement.DIFFERENT: -40},
    "given_name": {Agreement.EQUAL: 70, Agreement.NEAR: 50, Agreement.ALIKE: 20, Agreement.DIFFERENT: -45},
    "middle_name": {Agreement.EQUAL: 60, Agreement.NEAR: 45, Agreement.ALIKE: 15, Agreement.DIFFERENT: -30},
    "suffix": {Agreement.EQUAL: 20, Agreement.DIFFERENT: -60},
    "birth_date": {Agreement.EQUAL: 130, Agreement.NEAR: 70, Agreement.ALIKE: 10, Agreement.DIFFERENT: -60},
    "sex": {Agreement.EQUAL: 10, Agreement.DIFFERENT: -50},
    "barangay_code": {Agreement.EQUAL: 35, Agreement.NEAR: 15, Agreement.DIFFERENT: -10},
    "address": {Agreement.EQUAL: 80, Agreement.NEAR: 60, Agreement.ALIKE: 25, Agreement.DIFFERENT: -15},
    "mobile": {Agreement.EQUAL: 80, Agreement.DIFFERENT: -5},
}
MARRIED: Final = 40
"""Her family name became her middle name: the surnames agree across."""
SWAPPED: Final = -15
"""Family and given name stand in each other's place."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An entry as it is compared: names without case, accents, particles; a date as eight digits, right or wrong.

    What is not known is the empty text.
    """

    family_name: str
    given_name: str
    middle_name: str = ""
    suffix: str = ""
    birth_date: str = ""
    sex: str = ""
    barangay_code: str = ""
    address: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one field says: its name, how it agrees, and the weight (tenths of a power of two) that it adds."""

    field: str
    agreement: Agreement
    weight: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`score` is the sum of the weights of `why`."""

    score: int
    why: tuple[Reason, ...]

    def agreement(self, field: str) -> Agreement:
        return next((reason.agreement for reason in self.why if reason.field == field), Agreement.MISSING)


def facts_of(registration: Registration) -> Facts:
    """The registration as it is compared."""
    born = registration.birth_date
    return facts_from(
        family_name=registration.family_name,
        given_name=registration.given_name,
        middle_name=registration.middle_name or "",
        birth_date=f"{born.year:04}{born.month:02}{born.day:02}",
        sex=registration.sex.value,
        place=registration.barangay_code,
        address=registration.address,
        mobile=registration.mobile or "",
    )


def facts_from(
    *,
    family_name: str,
    given_name: str,
    middle_name: str = "",
    birth_date: str = "",
    sex: str = "",
    place: str = "",
    address: str = "",
    mobile: str = "",
) -> Facts:
    """An entry as compared, from texts as written. `birth_date` is eight digits, or what stands there."""
    family, family_suffix = _name(family_name)
    given, given_suffix = _name(given_name)
    middle, _ = _name(middle_name)
    suffix = family_suffix or given_suffix
    return Facts(family, given, middle, suffix, birth_date, sex, place, normalise_name(address), mobile)


@lru_cache(maxsize=20_000)
def _name(text: str) -> tuple[str, str]:
    """The name as compared, as one word, and the suffix that stood at its end."""
    words = [_WRITTEN_OUT.get(word, word) for word in normalise_name(text).split()]
    suffix = words.pop() if len(words) > 1 and words[-1] in _SUFFIXES else ""
    return "".join(words), _SUFFIX.get(suffix, suffix)


def compare(one: Facts, other: Facts) -> Comparison:
    """How two entries agree, field by field. The order of the two does not matter."""
    straight = _names(one, other)
    swapped = _names_swapped(one, other)
    names = swapped if swapped and _sum(swapped) > _sum(straight) else straight
    why = (
        *names,
        _reason("suffix", _equal(one.suffix, other.suffix)),
        _reason("birth_date", _date(one.birth_date, other.birth_date)),
        _reason("sex", _equal(one.sex, other.sex)),
        _reason("barangay_code", _code(one.barangay_code, other.barangay_code)),
        _reason("address", _address(one.address, other.address)),
        _reason("mobile", _equal(one.mobile, other.mobile)),
    )
    said = tuple(reason for reason in why if reason.agreement is not Agreement.MISSING)
    return Comparison(_sum(said), said)


def plainly_two(one: Facts, other: Facts) -> bool:
    """Whether `verdict` would say different whatever else agrees: other given names on other birth dates. It is quick,
    and most of those who share a key are such brothers and sisters.
    """
    given, born = one.given_name, other.birth_date
    if not given or not other.given_name or one.birth_date == born or is_slip(one.birth_date, born):
        return False
    # swapped names are no other names
    return not jaro_winkler(given, other.given_name, ALIKE) and not jaro_winkler(given, other.family_name, NEAR)


def verdict(comparison: Comparison, thresholds: DedupeSettings) -> Verdict:
    """What the score says, within what a household allows.

    A household shares surnames, address and mobile: another given name is another person, unless the birth date says
    otherwise. Twins share that too, and many people share a whole name. So "same" also asks for equal given names, no
    other sex or suffix, and the same birth date; a slip of the date passes only at one address or mobile.
    """
    given, born = comparison.agreement("given_name"), comparison.agreement("birth_date")
    same_day = born in {Agreement.EQUAL, Agreement.NEAR}
    other_sex = comparison.agreement("sex") is Agreement.DIFFERENT
    if comparison.score < thresholds.look_from or (given is Agreement.DIFFERENT and (other_sex or not same_day)):
        return Verdict.DIFFERENT
    one_place = (
        comparison.agreement("address") in {Agreement.EQUAL, Agreement.NEAR}
        or comparison.agreement("mobile") is Agreement.EQUAL
    )
    sure = (
        comparison.score >= thresholds.same_from
        and given is Agreement.EQUAL
        and (born is Agreement.EQUAL or (same_day and one_place))
        and not other_sex
        and comparison.agreement("suffix") is not Agreement.DIFFERENT
    )
    return Verdict.SAME if sure else Verdict.LOOK


def _names(one: Facts, other: Facts) -> Sequence[Reason]:
    family = _family(one.family_name, other.family_name)
    crossed = other.middle_name == one.family_name or one.middle_name == other.family_name
    if family.agreement is Agreement.DIFFERENT and crossed:
        # the middle names then say nothing more: one of them is the surname just seen
        married = Reason("family_name", Agreement.ALIKE, MARRIED, "one's family name is the other's middle name")
        return (married, _reason("given_name", _text(one.given_name, other.given_name)))
    return (
        family,
        _reason("given_name", _text(one.given_name, other.given_name)),
        _reason("middle_name", _middle(one.middle_name, other.middle_name)),
    )


def without_particle(family_name: str) -> str:
    """`cruz` of `delacruz`. Santos and delos Santos are two families, but one is often written for the other."""
    return _PARTICLE.sub("", family_name)


def _family(one: str, other: str) -> Reason:
    found = _text(one, other)
    if one and found in {Agreement.ALIKE, Agreement.DIFFERENT} and without_particle(one) == without_particle(other):
        return Reason("family_name", Agreement.NEAR, WEIGHTS["family_name"][Agreement.NEAR], "the particle differs")
    return _reason("family_name", found)


def _names_swapped(one: Facts, other: Facts) -> Sequence[Reason]:
    """The same, with the other's family and given name in each other's place. Only where both agree well."""
    family, given = _text(one.family_name, other.given_name), _text(one.given_name, other.family_name)
    if not {family, given} <= {Agreement.EQUAL, Agreement.NEAR}:
        return ()
    return (
        Reason("family_name", family, WEIGHTS["family_name"][family] + SWAPPED, "family and given name are swapped"),
        _reason("given_name", given),
        _reason("middle_name", _middle(one.middle_name, other.middle_name)),
    )


def _sum(reasons: Sequence[Reason]) -> int:
    return sum(reason.weight for reason in reasons)


def _reason(field: str, agreement: Agreement) -> Reason:
    return Reason(field, agreement, WEIGHTS[field].get(agreement, 0))


def _equal(one: str, other: str) -> Agreement:
    if not one or not other:
        return Agreement.MISSING
    return Agreement.EQUAL if one == other else Agreement.DIFFERENT


def _text(one: str, other: str) -> Agreement:
    if one == other or not one or not other:
        return _equal(one, other)
    alike = jaro_winkler(one, other, ALIKE)
    if alike >= NEAR:
        return Agreement.NEAR
    return Agreement.ALIKE if alike else Agreement.DIFFERENT


def _middle(one: str, other: str) -> Agreement:
    """A middle name is often an initial: one that fits says a little."""
    if one and other and 1 in {len(one), len(other)} and one != other:
        return Agreement.ALIKE if one[0] == other[0] else Agreement.DIFFERENT
    return _text(one, other)


def _date(one: str, other: str) -> Agreement:
    if one == other or not one or not other:
        return _equal(one, other)
    if is_slip(one, other):
        return Agreement.NEAR
    same_places = sum(left == right for left, right in zip(one, other, strict=False))
    return Agreement.ALIKE if same_places >= len(one) - WRONG_DIGITS_MAX else Agreement.DIFFERENT


def _code(one: str, other: str) -> Agreement:
    if one == other or not one or not other:
        return _equal(one, other)
    return Agreement.NEAR if sorted(one) == sorted(other) else Agreement.DIFFERENT


def _address(one: str, other: str) -> Agreement:
    if one == other or not one or not other:
        return _equal(one, other)
    alike = dice(one, other)
    if alike >= ADDRESS_NEAR:
        return Agreement.NEAR
    return Agreement.ALIKE if alike >= ADDRESS_ALIKE else Agreement.DIFFERENT
