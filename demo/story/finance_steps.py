"""The story's end in the offices: the resident's page, the day's cash, the bank's statement."""

from demo.cast import FINANCE
from demo.city.bank import BankLine, statement
from demo.story import life as story
from demo.story.browser import Browser
from demo.story.counter_steps import close_shift
from demo.story.life import Life, known
from demo.story.stage import Stage, now
from demo.story.values import Check, Done

_CENTS = 100


def page(stage: Stage, life: Life) -> Done:
    """The resident signs in on the web and reads the balance."""
    username = "rosario"
    stage.give_password(known(life.resident_id), username, story.PASSWORD)
    browser = Browser(stage.service.url, stage.wire)
    browser.submit("/sign-in", username=username, password=story.PASSWORD)
    shown = f"₱{story.BALANCE_CENTS // _CENTS:,}.{story.BALANCE_CENTS % _CENTS:02d}"
    wallet = browser.get("/wallet")
    check = Check("The resident's page shows the balance", shown in wallet, shown if shown in wallet else "not shown")
    return Done({"page": f"{stage.service.url}/wallet", "balance": shown}, (check,))


def bank(stage: Stage, life: Life) -> Done:
    """The shift is closed, cash goes to the bank, and the bank's camt.053 statement is imported and matched."""
    del life
    counted = close_shift(stage)
    deposit = {"amount_cents": story.DEPOSIT_CENTS, "currency": "PHP", "reference": "DEP-1"}
    stage.office.act("/v1/finance/deposits", FINANCE, stage.key("DEP-1"), deposit)
    today = stage.today()
    lines = [
        BankLine(today, story.FUND_CENTS, "APPROP-GF", "Appropriation"),
        BankLine(today, story.PROGRAMME_CENTS, "APPROP-SENIOR", "Appropriation"),
        BankLine(today, -story.WITHDRAWN_CENTS, "CASH-1", "Cash withdrawal"),
        BankLine(today, story.DEPOSIT_CENTS, "DEP-1", "Cash deposit"),
    ]
    file = statement(1, 0, lines, first=today, last=today, made_at=now())
    path = "/v1/finance/statements"
    [imported] = stage.office.call("POST", path, FINANCE, data=file, content_type="application/xml")
    states = [line["state"] for line in imported["lines"]]
    checks = (
        Check("Every bank line is matched", states == ["matched"] * len(lines), ", ".join(states)),
        Check(
            "The bank's closing balance is the books'",
            imported["difference_cents"] == 0,
            f"{imported['closing_cents']} centavos, difference {imported['difference_cents']}",
        ),
    )
    return Done({"counted_cents": counted, "lines": len(lines), "matched": states.count("matched")}, checks)
