"""What makes a resident's number, a valid registration, and the same person twice."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

from cardsvc.errors import CityError, ErrorKind

NUMBER_PREFIX = "MK"
SERIAL_MAX = 999_999_999
AGE_YEARS_MAX = 130
NAME_LENGTH_MAX = 100
ADDRESS_LENGTH_MAX = 200

_NUMBER = re.compile(rf"^{NUMBER_PREFIX}-?(\d{{6,9}})-?(\d)$")
_BARANGAY = re.compile(r"^[A-Z0-9-]{1,20}$")
_DROPPED = frozenset("'.\N{RIGHT SINGLE QUOTATION MARK}")  # D'Aboville and Daboville, Ma. and Ma
_ASCII = {code: None if (c := chr(code)) in _DROPPED else c.lower() if c.isalnum() else " " for code in range(128)}
_CITY_ZONE = timezone(timedelta(hours=8))  # a child born this morning in Manila was born tomorrow, as UTC counts
_MOBILE = re.compile(r"^(?:\+63|0)(9\d{9})$")

# H. M. Damm, "Total anti-symmetrische Quasigruppen" (2004): finds every wrong digit and every swap of two neighbours.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


class ResidentStatus(StrEnum):
    ACTIVE = "active"
    MOVED = "moved"
    DECEASED = "deceased"
    MERGED = "merged"
    """An entry that belongs to another resident's. Never stored: parting them gives back the status of before."""


class ResidentEvent(StrEnum):
    REGISTERED = "registered"
    STATUS = "status"


class Sex(StrEnum):
    FEMALE = "F"
    MALE = "M"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a clerk writes down about a person. `middle_name` and `mobile` are None where the person has none."""

    family_name: str
    given_name: str
    middle_name: str | None
    birth_date: date
    sex: Sex
    barangay_code: str
    address: str
    mobile: str | None = None


class ResidentNotFound(CityError):
    code = "resident_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No resident has this number. Check it with the person, or search by name.")


class InvalidResidentNumber(CityError):
    code = "invalid_resident_number"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("This is not a resident number: the check digit at its end does not fit. Type it again.")


class InvalidRegistration(CityError):
    """`fields` says what is wrong with each field, or with each row of many registrations (`row 3: family_name`)."""

    code = "invalid_registration"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("The registration cannot stand. Correct the fields named and send it again.", fields=fields)


class DuplicateResident(CityError):
    """`number` is the resident who is already registered."""

    code = "duplicate_resident"
    kind = ErrorKind.CONFLICT

    def __init__(self, number: str) -> None:
        super().__init__(
            f"A resident with the same names and birth date is registered as {number}. "
            "Use that registration, or confirm that this is another person."
        )
        self.number = number


class InvalidStatusChange(CityError):
    code = "invalid_status_change"
    kind = ErrorKind.CONFLICT

    def __init__(self, current: ResidentStatus, wanted: ResidentStatus) -> None:
        super().__init__(f"A resident who is {current} cannot become {wanted}. Look at the resident's history first.")


# Somebody who moved away may come back; a death entered by mistake is corrected the same way, with its reason.
STATUS_CHANGES = frozenset(
    {
        (ResidentStatus.ACTIVE, ResidentStatus.MOVED),
        (ResidentStatus.ACTIVE, ResidentStatus.DECEASED),
        (ResidentStatus.MOVED, ResidentStatus.ACTIVE),
        (ResidentStatus.MOVED, ResidentStatus.DECEASED),
        (ResidentStatus.DECEASED, ResidentStatus.ACTIVE),
    }
)


def check_digit(digits: str) -> int:
    """The Damm digit that makes `digits` followed by it come out at zero."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim


def number_of(serial: int) -> str:
    """The printed number of the resident registered as number `serial` (1 and up): `MK-000123-4`."""
    if not 1 <= serial <= SERIAL_MAX:
        raise ValueError(f"A resident's serial is between 1 and {SERIAL_MAX}.")
    digits = f"{serial:06d}"
    return f"{NUMBER_PREFIX}-{digits}-{check_digit(digits)}"


def parse_number(text: str) -> str:
    """The number as printed, from what was typed (spaces, small letters and missing dashes do not matter).

    Raises: InvalidResidentNumber.
    """
    match = _NUMBER.match(re.sub(r"\s", "", text).upper())
    if match is None or not match[0].isascii() or check_digit(match[1]) != int(match[2]):
        raise InvalidResidentNumber
    return number_of(int(match[1]))


def looks_like_number(text: str) -> bool:
    """Whether somebody typed a number rather than a name."""
    return any(character.isdigit() for character in text)


@lru_cache(maxsize=20_000)
def normalise_name(text: str) -> str:
    """The name as compared: lower case, no accents, single spaces, nothing but letters and digits."""
    if text.isascii():  # most names and addresses: nothing to take apart, and four times as quick
        return " ".join(text.translate(_ASCII).split())
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c) and c not in _DROPPED)
    return " ".join(kept.split())


def person_key(registration: Registration) -> str:
    """Equal for two registrations of the same person: same names, as compared, and the same birth date."""
    names = (registration.family_name, registration.given_name, registration.middle_name or "")
    # written as one word: "Dela Cruz" and "De la Cruz" are one name
    compared = "|".join(normalise_name(name).replace(" ", "") for name in names)
    return f"{compared}|{registration.birth_date.isoformat()}"


def search_text(registration: Registration) -> str:
    """The names as searched: every word begins after a space, the first one too."""
    names = (registration.family_name, registration.given_name, registration.middle_name or "")
    return " " + normalise_name(" ".join(names))


def checked(registration: Registration, now: datetime) -> Registration:
    """The registration as it is stored: trimmed, the mobile number in its international form.

    Raises: InvalidRegistration naming every wrong field at once.
    """
    clean = Registration(
        family_name=" ".join(registration.family_name.split()),
        given_name=" ".join(registration.given_name.split()),
        middle_name=" ".join((registration.middle_name or "").split()) or None,
        birth_date=registration.birth_date,
        sex=registration.sex,
        barangay_code=registration.barangay_code.strip().upper(),
        address=" ".join(registration.address.split()),
        mobile=_mobile(registration.mobile),
    )
    fields = {name: [problem] for name, problem in _problems(clean, now.astimezone(_CITY_ZONE).date())}
    if fields:
        raise InvalidRegistration(fields)
    return clean


def _problems(registration: Registration, today: date) -> list[tuple[str, str]]:
    problems = [
        (field, f"Write the name in letters, at most {NAME_LENGTH_MAX} of them.")
        for field, name, needed in (
            ("family_name", registration.family_name, True),
            ("given_name", registration.given_name, True),
            ("middle_name", registration.middle_name or "", False),
        )
        if len(name) > NAME_LENGTH_MAX or not (normalise_name(name) or not (needed or name))
    ]
    if not today.year - AGE_YEARS_MAX < registration.birth_date.year or registration.birth_date > today:
        problems.append(("birth_date", "Check the year: nobody alive has this birth date."))
    if not _BARANGAY.match(registration.barangay_code):
        problems.append(("barangay_code", "Write the barangay's code: letters, digits and dashes, at most 20."))
    if not 1 <= len(registration.address) <= ADDRESS_LENGTH_MAX:
        problems.append(("address", f"Write the address, at most {ADDRESS_LENGTH_MAX} characters."))
    if registration.mobile is not None and not _MOBILE.match(registration.mobile):
        problems.append(("mobile", "Write the mobile number as 09171234567 or +639171234567."))
    return problems


def _mobile(text: str | None) -> str | None:
    """The number in its international form, or as it was typed where it is none."""
    typed = re.sub(r"[ ()-]", "", text or "")
    match = _MOBILE.match(typed)
    return f"+63{match[1]}" if match else typed or None


def check_status_change(current: ResidentStatus, wanted: ResidentStatus) -> None:
    """Raises: InvalidStatusChange."""
    if (current, wanted) not in STATUS_CHANGES:
        raise InvalidStatusChange(current, wanted)
