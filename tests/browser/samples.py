"""Pages with sample data: each template is judged here with exactly the variables it says it takes.

The texts a room would translate are English here; the words of the templates are what is tried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from cardsvc import web

NOW = datetime(2026, 11, 22, 7, 4, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class Sample:
    """One page: its file name for pictures, its template and what it is given. `visitor` makes it signed in."""

    name: str
    template: str
    given: Mapping[str, Any]
    visitor: str = ""
    status: int = 200


def thing(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**values)


WALLET = thing(
    holder="Maria Luisa Dimaculangan Santos",
    number="MK-000123-4",
    balance_cents=123_450,
    owed_cents=0,
    reference="RF76 067K RQKW 01XB",
    as_of=NOW,
    card_state="active",
    card_expires_on=date(2031, 11, 2),
)
OWING = thing(
    holder="Jose Rizalino Macapagal de la Cruz-Villanueva III",
    number="MK-004711-0",
    balance_cents=0,
    owed_cents=2_600,
    reference="RF41 9ZZZ ABCD 0011",
    as_of=NOW,
    card_state="suspended",
    card_expires_on=None,
)
KINDS = ((10, -1_300), (10, -1_300), (21, 300_000), (30, -184_250), (1, 50_000), (90, 1_300), (10, -1_500))


PARTS = (
    (thing(name="main", amount_cents=-1_300),),
    (
        thing(name="student-rides-2026", amount_cents=-400),
        thing(name="relief", amount_cents=-300),
        thing(name="main", amount_cents=-600),
    ),
    (thing(name="", amount_cents=-300_000), thing(name="main", amount_cents=300_000)),
)
PURSES = (
    thing(
        name="student-rides-2026",
        purpose="transit",
        amount_cents=12_000,
        use_by=datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC),
        is_expired=False,
    ),
    thing(name="relief", purpose="", amount_cents=150_000, use_by=None, is_expired=False),
    thing(name="home-2025", purpose="tax", amount_cents=4_000, use_by=NOW, is_expired=True),
)
HOLDS = (
    thing(beneficiary="revenue:fees", amount_cents=50_000, until=datetime(2026, 12, 1, 4, tzinfo=UTC)),
    thing(beneficiary="revenue:transit:makati-loop", amount_cents=2_600, until=None),
)


def statement_page(count: int) -> SimpleNamespace:
    lines, balance = [], 123_450
    for index in range(count):
        kind, amount = KINDS[index % len(KINDS)]
        at = NOW - timedelta(hours=5 * index, minutes=7 * index)
        parts = PARTS[index % len(PARTS)]
        lines.append(thing(kind=kind, happened_at=at, amount_cents=amount, balance_after=balance, parts=parts))
        balance -= amount
    return thing(opening=balance, closing=123_450, lines=tuple(lines))


DUE = (
    thing(programme="Senior citizens' allowance", label="October 2026", amount_cents=50_000, claim_until=TODAY),
    thing(
        programme="Educational assistance for senior high school students",
        label="First semester 2026-2027",
        amount_cents=300_000,
        claim_until=date(2026, 12, 15),
    ),
)
BILLS = (
    thing(
        number="RPT-B-0001377",
        what="Property tax 2026, 4th quarter",
        amount_cents=184_250,
        due_on=date(2026, 12, 31),
        is_overdue=False,
        url="/wallet/bills/1",
    ),
    thing(
        number="RPT-B-0000912",
        what="Property tax 2025",
        amount_cents=1_203_900,
        due_on=date(2025, 12, 31),
        is_overdue=True,
        url="",
    ),
)

ACCOUNTS = ("cash:drawer:0190f5d2-7a3b-7c1d-8e4f-0123456789ab", "wallet:0190f5d2-7a3b-7c1d-8e4f-9a23456789ab:main")


def ledger_lines() -> list[SimpleNamespace]:
    lines = []
    for index in range(12):
        kind, amount = KINDS[index % len(KINDS)]
        at = NOW - timedelta(minutes=31 * index)
        for place, account in enumerate(ACCOUNTS):
            signed = abs(amount) if place == 0 else -abs(amount)
            lines.append(
                thing(
                    seq=48_211 - index,
                    entry_id=str(index),
                    entry_url=f"/finance/entries/{index}",
                    kind=kind,
                    happened_at=at,
                    account=account,
                    amount_cents=signed,
                    is_first=place == 0,
                )
            )
    return lines


FINANCE = {
    "day": TODAY,
    "previous": date(2026, 11, 21),
    "following": None,
    "totals": (
        thing(kind=1, entries=148, amount_cents=7_412_000),
        thing(kind=10, entries=2_411, amount_cents=3_134_300),
        thing(kind=21, entries=67, amount_cents=12_450_000),
        thing(kind=30, entries=23, amount_cents=6_018_775),
        thing(kind=90, entries=2, amount_cents=2_600),
    ),
    "lines": ledger_lines(),
    "next_url": "/finance?date=2026-11-22&after=48199",
    "trial_difference_cents": 0,
    "drawers": (
        thing(
            name="City hall, counter 1",
            staff="Liza Magsaysay",
            opened_at=NOW - timedelta(hours=7),
            closed_at=NOW - timedelta(hours=1),
            float_cents=500_000,
            cards_cents=30_000,
            expected_cents=4_211_500,
            counted_cents=4_211_000,
            difference_cents=-500,
        ),
        thing(
            name="Public market, counter 2",
            staff="Ramon Ocampo",
            opened_at=NOW - timedelta(hours=6),
            closed_at=None,
            float_cents=300_000,
            cards_cents=0,
            expected_cents=2_812_000,
            counted_cents=None,
            difference_cents=None,
        ),
    ),
    "bank": (
        thing(
            booking_date=TODAY,
            amount_cents=5_250_000,
            text="CASH DEPOSIT DEP-2026-0311",
            state="matched",
            why="Reference DEP-2026-0311 is the deposit's.",
            entry_url="/finance/entries/1",
        ),
        thing(
            booking_date=TODAY,
            amount_cents=-25_000,
            text="SERVICE CHARGE NOV",
            state="open",
            why="No entry has this amount within 3 days.",
            entry_url="",
        ),
        thing(
            booking_date=date(2026, 11, 20),
            amount_cents=1_000_000,
            text="CASH DEPOSIT DEP-2026-0309",
            state="exception",
            why="Two entries have this amount and date.",
            entry_url="",
        ),
    ),
    "closing": thing(
        statement_ref="LBP-2026-326",
        at=TODAY,
        bank_cents=412_250_000,
        ledger_cents=412_275_000,
        difference_cents=-25_000,
    ),
}
LINE = thing(
    line_id="018f3c5e-7c00-7abc-8def-0123456789ad",
    booked_on=TODAY,
    amount_cents=250_000,
    text="INSTAPAY MARIA L D SANTOS RF76 067K RQKW 01XB",
    reference="RF76067KRQKW01XB",
    wallet_id="w",
    why="",
)
WAITS = thing(
    transfer_id="018f3c5e-7c00-7abc-8def-0123456789ae",
    booked_on=TODAY,
    amount_cents=99_000,
    text="PESONET J RIZAL LOAD RF41 9ZZZ",
    reference="RF41 9ZZZ",
    why="No wallet has this reference: a character is wrong, or there are several.",
)
_SIGNING = {"password": web.Field("password", "Password", "password"), "may_sign": True, "refused": ""}
TRANSFERS = {"lines": (LINE,), "numbers": {"w": "MK-000123-4"}, "waiting": (WAITS,), **_SIGNING}
TRANSFER = {
    "transfer": WAITS,
    "key": "018f3c5e-7c00-7abc-8def-0123456789af",
    "number": web.Field("number", "Resident number", width=20),
    "reason": web.Field("reason", "How you know whose it is"),
    **_SIGNING,
}
MANDATE = thing(source="family", threshold_cents=5_000, amount_cents=20_000, day_max=2, given_at=NOW)
TOP_UP_FIELDS = (
    web.Field("source", "From", "select", choices=(("family", "family"),), value="family"),
    web.Field("threshold", "When the balance is below", "amount"),
    web.Field("amount", "Amount each time", "amount"),
)
QUIET_FINANCE = {
    **FINANCE,
    "following": TODAY,
    "totals": (),
    "lines": [],
    "next_url": "",
    "drawers": (),
    "bank": (),
    "closing": None,
}
SIGN_IN = (
    web.Field("username", "Username", autocomplete="username"),
    web.Field("password", "Password", "password", autocomplete="current-password"),
)
EVERY_FIELD = (
    web.Field("names", "Full name", errors=("Enter the full name.",)),
    web.Field(
        "sum",
        "Amount",
        "amount",
        hint="Pesos and centavos, such as 1,250.00",
        value="12.5x",
        errors=("Write the amount like 1,234.50.",),
    ),
    web.Field("born", "Date of birth", "date"),
    web.Field("barangay", "Barangay", "select", choices=(("1", "San Isidro"), ("2", "Poblacion")), value="2"),
    web.Field("sex", "Sex", "radios", choices=(("F", "Female"), ("M", "Male")), value="F"),
    web.Field("note", "Note", "textarea"),
    web.Field("sure", "Confirm", "checkbox", choices=(("yes", "I checked the papers"),)),
    web.Field("key", "", "hidden", value="x"),
)
PROBLEM = thing(title="Not found", detail="There is nothing at this address.", errors={}, status=404)

LOOKS = tuple(
    thing(at=NOW - timedelta(hours=7 * place), role=role, office=office, purpose=purpose, fields=fields)
    for place, (role, office, purpose, fields) in enumerate(
        (
            ("clerk", "City Hall, window 3", "handing over a card", ("name", "number", "birth_date", "photo")),
            ("card_officer clerk", None, "looked up in the register", ("name", "number", "address", "mobile", "sex")),
            ("clerk", None, "a call about a lost card, on the city's number, from her own phone", ("name", "status")),
            ("service", None, "report", ("name",)),
        )
    )
)

SERVICE = (
    Sample("sign-in", "access/sign_in.html", {"fields": SIGN_IN, "refused": ""}),
    Sample(
        "sign-in-refused",
        "access/sign_in.html",
        {"fields": SIGN_IN, "refused": "The username or the password is not right."},
    ),
    Sample(
        "wallet",
        "wallets/wallet.html",
        {
            "wallet": WALLET,
            "purses": PURSES,
            "holds": HOLDS,
            "due": DUE,
            "bills": BILLS,
            "lines": statement_page(6).lines,
        },
        "Maria Santos",
    ),
    Sample(
        "wallet-owing",
        "wallets/wallet.html",
        {"wallet": OWING, "purses": (), "holds": (), "due": (), "bills": (), "lines": ()},
        "Jose Rizal",
    ),
    Sample(
        "statement",
        "wallets/statement.html",
        {"wallet": WALLET, "page": statement_page(18), "next_url": "?after=x", "first_url": ""},
        "Maria Santos",
    ),
    Sample(
        "statement-empty",
        "wallets/statement.html",
        {"wallet": WALLET, "page": statement_page(0), "next_url": "", "first_url": "?"},
        "Maria Santos",
    ),
    Sample("looks", "residents/looks.html", {"looks": LOOKS, "next_url": "?x=1", "first_url": "?"}, "Maria Santos"),
    Sample("looks-empty", "residents/looks.html", {"looks": (), "next_url": "", "first_url": ""}, "Maria Santos"),
    Sample("finance", "finance/day.html", FINANCE, "Teresa Aquino"),
    Sample("transfers", "finance/transfers.html", TRANSFERS, "Teresa Aquino"),
    Sample("transfer", "finance/transfer.html", TRANSFER, "Teresa Aquino"),
    Sample(
        "top-up",
        "finance/own_top_up.html",
        {"mandate": MANDATE, "fields": TOP_UP_FIELDS, "refused": "Write an amount."},
        "Maria Santos",
    ),
    Sample("top-up-none", "finance/own_top_up.html", {"mandate": None, "fields": (), "refused": ""}, "Jose Rizal"),
    Sample("finance-quiet", "finance/day.html", QUIET_FINANCE, "Teresa Aquino"),
    Sample("error", "error.html", {"problem": PROBLEM, "trace_id": "4f1d2c3b4a5968778695a4b3c2d1e0ff"}, "Maria Santos"),
    Sample("every-field", "every_field.html", {"fields": EVERY_FIELD}),
)
