"""Where the demo city's money comes from: programmes, their cycles, the tax roll, the bank account."""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from demo.city.bank import BankLine
from demo.city.cast import APPROVER, DRAFTER, TREASURER
from demo.city.desk import Desk
from demo.city.people import Person, age

OPENING_CENTS: Final = 80_000_000_00
BILL_COUNT: Final = 2000
_SENIOR = 60
_STUDENT_MAX = 24
_PARENT_MIN, _PARENT_MAX = 25, 45


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


def payouts(people: Sequence[Person], today: date, seed: int) -> list[Payout]:
    """Senior tiers by age (Ordinance 2025-104 gives the figures), students, solo parents."""
    chance = random.Random(f"payouts:{seed}")
    seniors = [(n, _senior_cents(age(p, today)) // 2) for n, p in enumerate(people) if age(p, today) >= _SENIOR]
    students = [(n, 2_500_00) for n, p in enumerate(people) if age(p, today) <= _STUDENT_MAX]
    parents = [
        (n, 1_500_00)
        for n, p in enumerate(people)
        if _PARENT_MIN <= age(p, today) <= _PARENT_MAX and chance.random() < 0.12  # noqa: PLR2004
    ]
    return [
        Payout("SENIOR", "2026 second half", 3, tuple(seniors)),
        Payout("STUDENT", "First semester 2026-2027", 8, tuple(students)),
        Payout("SOLO", "October 2026", 12, tuple(parents)),
    ]


def _senior_cents(years: int) -> int:
    tiers = ((101, 12_000_00), (90, 11_000_00), (80, 6_000_00), (70, 5_000_00), (60, 4_000_00))
    return next(cents for least, cents in tiers if years >= least)


def fund(desk: Desk, account: Account) -> None:
    """The year's opening money and the programmes' appropriations, each a signed record and a bank line."""
    today = desk.clock.now().date()
    sources = [("equity:general", OPENING_CENTS, "APPROP-2026-GF")]
    for code, name, cents in PROGRAMMES:
        desk.call("POST", "/v1/benefits/programmes", DRAFTER, json={"code": code, "name": name})
        sources.append((f"benefits:{code}:fund", cents, f"APPROP-2026-{code}"))
    for account_code, cents, reference in sources:
        given = {"amount_cents": cents, "currency": "PHP", "reference": reference, "account_code": account_code}
        desk.act("/v1/finance/funding", TREASURER, **given)
        account.waiting.append(BankLine(today, cents, reference, f"Appropriation {reference}"))
    withdraw(desk, account, 500_000_00, "CASH-0001")


def withdraw(desk: Desk, account: Account, cents: int, reference: str) -> None:
    desk.act("/v1/finance/withdrawals", TREASURER, amount_cents=cents, currency="PHP", reference=reference)
    account.waiting.append(BankLine(desk.clock.now().date(), -cents, reference, f"Cash withdrawal {reference}"))


def open_cycle(desk: Desk, payout: Payout, residents: Sequence[UUID]) -> dict[int, tuple[UUID, int]]:
    """Draft a cycle and let a second officer approve it; returns what each person may claim."""
    lines = [{"resident_id": str(residents[n]), "amount_cents": cents} for n, cents in payout.amounts]
    draft = {
        "programme": payout.programme,
        "label": payout.label,
        "claim_until": (desk.clock.now().date() + timedelta(days=60)).isoformat(),
        "count": len(lines),
        "total_cents": sum(cents for _, cents in payout.amounts),
        "lines": lines,
    }
    cycle: dict[str, Any] = desk.call("POST", "/v1/benefits/cycles", DRAFTER, json=draft)
    desk.act(f"/v1/benefits/cycles/{cycle['id']}/approval", APPROVER)
    return {n: (UUID(cycle["id"]), cents) for n, cents in payout.amounts}


def tax_roll(people: Sequence[Person], numbers: Sequence[str], seed: int) -> bytes:
    """Two thousand bills as the assessor's CSV; every third property belongs to a resident with a card."""
    chance = random.Random(f"bills:{seed}")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("number", "tdn", "owner_name", "resident_number", "year", "quarter", "basic", "sef", "due_on"))
    for n in range(BILL_COUNT):
        owner = chance.randrange(len(people))
        linked = n % 3 == 0
        assessed = chance.randint(40, 900) * 1000
        person = people[owner]
        name = f"{person.family_name}, {person.given_name}" if linked else f"Estate {chance.randint(1000, 9999)}"
        writer.writerow(
            (
                f"RPT-2026-{n + 1:05d}",
                f"TD-{chance.randint(10000, 99999)}-{n:05d}",
                name,
                numbers[owner] if linked else "",
                2026,
                4,
                f"{assessed * 2 // 400}.00",
                f"{assessed // 400}.00",
                "2026-12-31",
            )
        )
    return out.getvalue().encode()
