"""Where the demo city's money comes from: programmes, their cycles, the tax roll, the bank account."""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from demo.cast import APPROVER, DRAFTER, FINANCE, TREASURER
from demo.city.bank import BankLine
from demo.city.desk import Desk
from demo.city.holders import HOLDERS
from demo.city.people import Person, age

OPENING_CENTS: Final = 80_000_000_00
BILL_COUNT: Final = 2000
_SENIOR = 60
_STUDENT_MAX = 24
_PARENT_MIN, _PARENT_MAX = 25, 45
_SOLO_SHARE = 0.12
_HOLDER_ASSESSED = 120_000  # pesos: a bill that a holder can pay after a claim


@dataclass(frozen=True, slots=True)
class Payout:
    """A cycle of a programme: who gets how much. `day` is the day of the history on which it is approved."""

    programme: str
    label: str
    day: int
    amounts: tuple[tuple[int, int], ...]  # (number of the person, cents)


@dataclass(slots=True)
class Account:
    """The city's account as the bank keeps it: `waiting` lines go on the next statement."""

    opening_cents: int
    waiting: list[BankLine]
    statements: int = 0


PROGRAMMES: Final = (
    ("SENIOR", "Senior citizens' cash gift", 40_000_000_00),
    ("STUDENT", "College allowance", 8_000_000_00),
    ("SOLO", "Solo parents' support", 5_000_000_00),
)

CARD_PRICES: Final = (("first", 0), ("renewal", 0), ("lost", 100_00), ("stolen", 100_00), ("damaged", 50_00))


def payouts(people: Sequence[Person], today: date, seed: int) -> list[Payout]:
    """Senior tiers by age (Ordinance 2025-104 gives the figures), students, solo parents."""
    chance = random.Random(f"payouts:{seed}")
    seniors = [(n, _senior_cents(age(p, today)) // 2) for n, p in enumerate(people) if age(p, today) >= _SENIOR]
    students = [(n, 2_500_00) for n, p in enumerate(people) if age(p, today) <= _STUDENT_MAX]
    parents = [
        (n, 1_500_00)
        for n, p in enumerate(people)
        if _PARENT_MIN <= age(p, today) <= _PARENT_MAX and (chance.random() < _SOLO_SHARE or n < len(HOLDERS))
    ]
    year = today.year
    return [
        Payout("SENIOR", f"{year} second half", 3, tuple(seniors)),
        Payout("STUDENT", f"First semester {year}-{year + 1}", 8, tuple(students)),
        Payout("SOLO", f"Fourth quarter {year}", 12, tuple(parents)),
    ]


def _senior_cents(years: int) -> int:
    tiers = ((101, 12_000_00), (90, 11_000_00), (80, 6_000_00), (70, 5_000_00), (60, 4_000_00))
    return next(cents for least, cents in tiers if years >= least)


def fund(desk: Desk, account: Account, payouts: Sequence[Payout]) -> None:
    """The year's opening money and the programmes' appropriations, each a signed record and a bank line."""
    today = desk.today()
    year = today.year
    sources = [("equity:general", OPENING_CENTS, f"APPROP-{year}-GF")]
    for code, name, cents in PROGRAMMES:
        desk.office.call("POST", "/v1/benefits/programmes", DRAFTER, json_body={"code": code, "name": name})
        promised = sum(amount for payout in payouts if payout.programme == code for _, amount in payout.amounts)
        sources.append((f"benefits:{code}:fund", max(cents, 2 * promised), f"APPROP-{year}-{code}"))
    for account_code, cents, reference in sources:
        given = {"amount_cents": cents, "currency": "PHP", "reference": reference, "account_code": account_code}
        desk.act("/v1/finance/funding", TREASURER, **given)
        account.waiting.append(BankLine(today, cents, reference, f"Appropriation {reference}"))
    withdraw(desk, account, 500_000_00, "CASH-0001")


def price_cards(desk: Desk) -> None:
    """What cards cost in the demo city, made up for it. Two people sign each price."""
    for issue, cents in CARD_PRICES:
        payload = {"issue": issue, "valid_from": desk.today().isoformat(), "amount_cents": cents, "currency": "PHP"}
        said = {"kind": "cards.price", "payload": payload}
        action: dict[str, Any] = desk.office.call("POST", "/v1/actions", FINANCE, json_body=said)
        for member in (FINANCE, TREASURER):
            signed = {"password": member.password}
            desk.office.call("POST", f"/v1/actions/{action['id']}/signatures", member, json_body=signed)


def withdraw(desk: Desk, account: Account, cents: int, reference: str) -> None:
    desk.act("/v1/finance/withdrawals", TREASURER, amount_cents=cents, currency="PHP", reference=reference)
    account.waiting.append(BankLine(desk.today(), -cents, reference, f"Cash withdrawal {reference}"))


def open_cycle(desk: Desk, payout: Payout, residents: Sequence[UUID]) -> None:
    """Draft a cycle and let a second officer approve it."""
    lines = [{"resident_id": str(residents[n]), "amount_cents": cents} for n, cents in payout.amounts]
    draft = {
        "programme": payout.programme,
        "label": payout.label,
        "claim_until": (desk.today() + timedelta(days=60)).isoformat(),
        "count": len(lines),
        "total_cents": sum(cents for _, cents in payout.amounts),
        "lines": lines,
    }
    cycle: dict[str, Any] = desk.office.call("POST", "/v1/benefits/cycles", DRAFTER, json_body=draft)
    desk.act(f"/v1/benefits/cycles/{cycle['id']}/approval", APPROVER)


def tax_roll(people: Sequence[Person], numbers: Sequence[str], seed: int, year: int) -> bytes:
    """Two thousand bills as the assessor's CSV: one for each holder of a demo card, then every third for a resident."""
    chance = random.Random(f"bills:{seed}")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("number", "tdn", "owner_name", "resident_number", "year", "quarter", "basic", "sef", "due_on"))
    for n in range(BILL_COUNT):
        held = n < len(HOLDERS)
        owner = n if held else chance.randrange(len(HOLDERS), len(people))
        linked = held or n % 3 == 0
        assessed = _HOLDER_ASSESSED if held else chance.randint(40, 900) * 1000
        person = people[owner]
        name = f"{person.family_name}, {person.given_name}" if linked else f"Estate {chance.randint(1000, 9999)}"
        writer.writerow(
            (
                f"BILL-{year}-{n + 1:05d}",
                f"TD-{chance.randint(10000, 99999)}-{n:05d}",
                name,
                numbers[owner] if linked else "",
                year,
                4,
                f"{assessed * 2 // 400}.00",
                f"{assessed // 400}.00",
                f"{year}-12-31",
            )
        )
    return out.getvalue().encode()
