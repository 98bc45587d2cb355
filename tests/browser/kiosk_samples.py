"""What the kiosk's pages show in tests: one sample for each state of each page."""

from datetime import UTC, datetime

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
