"""The terminals' pages with sample data, as `samples` does for the service's."""

from datetime import UTC, date, datetime, timedelta

from terminals.agent.look import Field
from tests.browser import counter_samples, reader_samples
from tests.browser.samples import Sample, thing

NOW = datetime(2026, 11, 22, 7, 4, tzinfo=UTC)
RECEIPT = "https://card.example.ph/r#" + "Kf3x" * 27

ITEMS = (
    thing(
        id="a", title="Senior citizens' allowance", detail="October 2026. Until November 30, 2026", amount_cents=50_000
    ),
    thing(
        id="b",
        title="Educational assistance for senior high school students",
        detail="First semester 2026-2027. Until December 15, 2026",
        amount_cents=300_000,
    ),
)
BILLS = (
    thing(
        id="c",
        title="Property tax 2026, 4th quarter",
        detail="RPT-B-0001377, due December 31, 2026",
        amount_cents=184_250,
    ),
    thing(
        id="d",
        title="Property tax 2025",
        detail="RPT-B-0000912, overdue since December 31, 2025",
        amount_cents=1_203_900,
    ),
    thing(
        id="e",
        title="Property tax 2024",
        detail="RPT-B-0000412, overdue since December 31, 2024",
        amount_cents=1_180_000,
    ),
)
PASSES = (
    thing(id="bus-week", title="Bus for a week", detail="22 Nov 2026 - 28 Nov 2026", amount_cents=15_000),
    thing(id="city-month", title="All lines for 30 days", detail="22 Nov 2026 - 21 Dec 2026", amount_cents=120_000),
)

PURSES = (
    thing(purpose="transit", amount_cents=12_000, use_by=NOW),
    thing(purpose="any", amount_cents=150_000, use_by=None),
)

KIOSK = (
    Sample("kiosk-idle", "kiosk/idle.html", {"reader_ready": True, "offline": False}),
    Sample("kiosk-out-of-order", "kiosk/idle.html", {"reader_ready": False, "offline": False}),
    Sample("kiosk-wait", "kiosk/wait.html", {"what": ""}),
    Sample(
        "kiosk-balance",
        "kiosk/balance.html",
        {
            "initials": "M.L.S.",
            "balance_cents": 123_450,
            "owed_cents": 0,
            "as_of": NOW,
            "due_count": 2,
            "due_cents": 350_000,
            "bill_count": 1,
            "pass_count": 3,
            "held_cents": 50_000,
            "purses": PURSES,
            "reference": "RF76 067K RQKW 01XB",
            "mandates": (thing(source="aid", threshold_cents=10_000, amount_cents=50_000, day_max=2),),
        },
    ),
    Sample(
        "kiosk-balance-plain",
        "kiosk/balance.html",
        {
            "initials": "J.R.",
            "balance_cents": 0,
            "owed_cents": 2_600,
            "as_of": NOW,
            "due_count": 0,
            "due_cents": 0,
            "bill_count": 0,
            "pass_count": 0,
            "held_cents": 0,
            "purses": (),
            "reference": "RF76 067K RQKW 01XB",
            "mandates": (),
        },
    ),
    Sample("kiosk-claim-choose", "kiosk/choose.html", {"deed": "claim", "items": ITEMS, "next_page": None}),
    Sample("kiosk-bill-choose", "kiosk/choose.html", {"deed": "pay", "items": BILLS, "next_page": 2}),
    Sample("kiosk-pass-choose", "kiosk/choose.html", {"deed": "buy", "items": PASSES, "next_page": None}),
    Sample(
        "kiosk-pass-confirm",
        "kiosk/confirm.html",
        {
            "deed": "buy",
            "title": PASSES[0].title,
            "detail": PASSES[0].detail,
            "amount_cents": 15_000,
            "after_cents": 108_450,
        },
    ),
    Sample(
        "kiosk-claim-confirm",
        "kiosk/confirm.html",
        {
            "deed": "claim",
            "title": ITEMS[1].title,
            "detail": ITEMS[1].detail,
            "amount_cents": 300_000,
            "after_cents": 423_450,
        },
    ),
    Sample(
        "kiosk-bill-confirm",
        "kiosk/confirm.html",
        {
            "deed": "pay",
            "title": BILLS[0].title,
            "detail": BILLS[0].detail,
            "amount_cents": 184_250,
            "after_cents": None,
        },
    ),
    Sample(
        "kiosk-pin",
        "kiosk/pin.html",
        {"deed": "pay", "title": BILLS[0].title, "amount_cents": 184_250, "tries_left": None},
    ),
    Sample(
        "kiosk-pin-wrong",
        "kiosk/pin.html",
        {"deed": "claim", "title": ITEMS[0].title, "amount_cents": 50_000, "tries_left": 2},
    ),
    Sample(
        "kiosk-claim-done",
        "kiosk/done.html",
        {
            "deed": "claim",
            "title": ITEMS[0].title,
            "amount_cents": 50_000,
            "balance_cents": 173_450,
            "official_number": "",
            "receipt_text": RECEIPT,
        },
    ),
    Sample(
        "kiosk-bill-done",
        "kiosk/done.html",
        {
            "deed": "pay",
            "title": BILLS[0].title,
            "amount_cents": 184_250,
            "balance_cents": 0,
            "official_number": "RPT-2026-0000001",
            "receipt_text": "",
        },
    ),
    Sample(
        "kiosk-pass-done",
        "kiosk/done.html",
        {
            "deed": "buy",
            "title": PASSES[0].title,
            "amount_cents": 15_000,
            "balance_cents": None,
            "official_number": "",
            "receipt_text": RECEIPT,
        },
    ),
    Sample(
        "kiosk-error",
        "kiosk/error.html",
        {
            "title": "This card is blocked",
            "detail": "Too many wrong PINs. Bring your card to the counter.",
            "can_retry": False,
        },
    ),
    Sample(
        "kiosk-error-retry",
        "kiosk/error.html",
        {"title": "There is no connection", "detail": "Nothing was paid. Try again in a minute.", "can_retry": True},
    ),
    Sample("kiosk-removed", "kiosk/removed.html", {"unknown": False}),
    Sample("kiosk-removed-unknown", "kiosk/removed.html", {"unknown": True}),
)

PERSON = thing(
    number="MK-000123-4", name="Maria Luisa Dimaculangan Santos", birth_date=date(1961, 4, 9), barangay="San Isidro"
)
STEPS = ("Requested", "Approved", "Make the card", "PIN by the holder", "Handed over")
LINES = (
    "Take the card under the city's key",
    "Set the unblocking code",
    "Make three keys on the card",
    "Certificates from the city",
    "Write them to the card",
    "Read everything back and compare",
)


def steps(now: int) -> tuple[object, ...]:
    states = ["done" if index < now else "now" if index == now else "todo" for index in range(len(STEPS))]
    return tuple(thing(name=name, state=state) for name, state in zip(STEPS, states, strict=True))


def progress(now: int, *, failed: bool = False) -> tuple[object, ...]:
    words = {"done": "Done", "now": "Now", "failed": "Failed", "todo": "Waits"}
    at_now = "failed" if failed else "now"
    states = ["done" if index < now else at_now if index == now else "todo" for index in range(len(LINES))]
    return tuple(
        thing(key=str(index), name=name, state=state, state_name=words[state])
        for index, (name, state) in enumerate(zip(LINES, states, strict=True))
    )


STAFF = {"staff": "Liza Magsaysay"}
SHIFT = thing(opened_at=NOW - timedelta(hours=6), float_cents=300_000, expected_cents=2_812_000)
PASSWORD = Field(
    "password", "Your password", "password", hint="You sign this with it.", autocomplete="current-password"
)
CHECKS = (
    thing(name="The card answered a fresh challenge", ok=True, detail="It holds the key of its certificate."),
    thing(name="Certificate of this city", ok=True, detail="Card authority 2026, until November 2, 2031."),
    thing(name="In force", ok=True, detail="The city's register, a moment ago."),
)

COUNTER = (
    *reader_samples.READERS,
    *counter_samples.PAGES,
    Sample(
        "counter-sign-in",
        "counter/sign_in.html",
        {
            "staff": "",
            "refused": "The username or the password is not right.",
            "fields": (
                Field("username", "Username", autocomplete="username"),
                Field("password", "Password", "password", autocomplete="current-password"),
            ),
        },
    ),
    Sample(
        "counter-home", "counter/home.html", {**STAFF, "may": {"issue", "verify", "cash"}, "shift": SHIFT, "waiting": 3}
    ),
    Sample(
        "counter-home-no-shift",
        "counter/home.html",
        {**STAFF, "may": {"issue", "verify", "cash"}, "shift": None, "waiting": 0},
    ),
    Sample(
        "counter-find",
        "counter/find.html",
        {
            **STAFF,
            "q": "Santos",
            "residents": (
                thing(
                    number="MK-000123-4",
                    name=PERSON.name,
                    birth_date=PERSON.birth_date,
                    barangay="San Isidro",
                    card_state="",
                ),
                thing(
                    number="MK-004711-0",
                    name="Jose Rizalino Santos",
                    birth_date=date(1990, 1, 30),
                    barangay="Poblacion",
                    card_state="in use",
                ),
            ),
        },
    ),
    Sample("counter-find-nobody", "counter/find.html", {**STAFF, "q": "Zzz", "residents": ()}),
    Sample(
        "counter-issue",
        "counter/issue.html",
        {
            **STAFF,
            "resident": PERSON,
            "steps": steps(2),
            "progress": progress(3),
            "wrong": False,
            "status": "Making the card. Do not take it out.",
            "action": None,
            "links": (),
        },
    ),
    Sample(
        "counter-issue-failed",
        "counter/issue.html",
        {
            **STAFF,
            "resident": PERSON,
            "steps": steps(2),
            "progress": progress(4, failed=True),
            "wrong": True,
            "status": "The card was taken out. It is not issued. Put it back and start again: that is safe.",
            "links": (thing(path="#", text="Let a second person approve it here"),),
            "action": thing(deed="make", text="Start again"),
        },
    ),
    Sample("counter-pin", "counter/pin.html", {"error": ""}),
    Sample("counter-pin-differ", "counter/pin.html", {"error": "The two PINs differ. Enter the same one twice."}),
    Sample(
        "counter-verify",
        "counter/verify.html",
        {**STAFF, "verdict": None, "title": "", "detail": "", "person": None, "checks": ()},
    ),
    Sample(
        "counter-verify-yes",
        "counter/verify.html",
        {
            **STAFF,
            "verdict": "yes",
            "title": "Genuine and in force",
            "detail": "Compare the person with the register.",
            "person": counter_samples.SHOWN,
            "checks": CHECKS,
        },
    ),
    Sample(
        "counter-verify-no",
        "counter/verify.html",
        {
            **STAFF,
            "verdict": "no",
            "title": "Not a card of this city",
            "detail": "Keep nothing, give it back.",
            "person": None,
            "checks": (
                thing(name="Certificate of this city", ok=False, detail="Signed by an authority we do not know."),
            ),
        },
    ),
    Sample(
        "counter-shift-open",
        "counter/money.html",
        {
            **STAFF,
            "heading": "Open a shift",
            "lead": "Count the float before you sign.",
            "submit": "Sign and open",
            "fields": (Field("float", "Float", "amount"), PASSWORD),
            "facts": (),
            "status": "",
            "wrong": False,
        },
    ),
    Sample(
        "counter-shift-close",
        "counter/money.html",
        {
            **STAFF,
            "heading": "Close the shift",
            "lead": "Count the drawer, then sign what you counted.",
            "submit": "Sign and close",
            "status": "",
            "wrong": False,
            "fields": (
                Field("counted", "Counted", "amount", value="12x", errors=("Write the amount like 1,234.50.",)),
                PASSWORD,
            ),
            "facts": (thing(name="Float", amount_cents=300_000), thing(name="Should hold", amount_cents=2_812_000)),
        },
    ),
    Sample(
        "counter-top-up",
        "counter/money.html",
        {
            **STAFF,
            "heading": "Top up with cash",
            "lead": "Take the cash first, then the card.",
            "submit": "Top up",
            "fields": (Field("amount", "Amount", "amount"),),
            "facts": (),
            "wrong": True,
            "status": "No card lies on the reader. Nothing was topped up.",
        },
    ),
    Sample(
        "counter-receipt",
        "counter/receipt.html",
        {
            **STAFF,
            "outcome": "accepted",
            "what": "Cash top-up",
            "amount_cents": 50_000,
            "happened_at": NOW,
            "official_number": "",
            "reason": "",
            "balance_cents": 173_450,
            "receipt_text": RECEIPT,
            "record_id": "0190f5d2-7a3b-7c1d-8e4f-0123456789ab",
        },
    ),
    Sample(
        "counter-receipt-stored",
        "counter/receipt.html",
        {
            **STAFF,
            "outcome": "stored",
            "what": "Cash top-up",
            "amount_cents": 50_000,
            "happened_at": NOW,
            "official_number": "",
            "reason": "",
            "balance_cents": None,
            "receipt_text": "",
            "record_id": "0190f5d2-7a3b-7c1d-8e4f-0123456789ab",
        },
    ),
)
