"""What the counter's pages show in tests: one sample for each state of each page."""

from datetime import date, timedelta

from terminals.agent.look import Field
from tests.browser import counter_samples, reader_samples
from tests.browser.kiosk_samples import NOW, RECEIPT
from tests.browser.samples import Sample, thing

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
SHIFT = thing(opened_at=NOW - timedelta(hours=6), float_cents=300_000, cards_cents=30_000, expected_cents=2_812_000)
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
            "price": thing(amount_cents=10_000, state="paid", due=False, path=""),
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
            "price": None,
        },
    ),
    Sample(
        "counter-issue-unpaid",
        "counter/issue.html",
        {
            **STAFF,
            "resident": PERSON,
            "steps": steps(3),
            "progress": (),
            "wrong": False,
            "status": "The card is made. Its price is to be paid before the holder gets it.",
            "links": (),
            "action": None,
            "price": thing(amount_cents=10_000, state="to be paid", due=True, path="#"),
        },
    ),
    Sample(
        "counter-issue-unpaid-elsewhere",
        "counter/issue.html",
        {
            **STAFF,
            "resident": PERSON,
            "steps": steps(2),
            "progress": (),
            "wrong": False,
            "status": "Put a blank card into the reader.",
            "links": (),
            "action": thing(deed="make", text="Make the card"),
            "price": thing(amount_cents=10_000, state="to be paid", due=True, path=""),
        },
    ),
    Sample(
        "counter-card-price",
        "counter/money.html",
        {
            **STAFF,
            "heading": "Price of the card",
            "lead": "Take this amount in cash. A load is taken apart, once the holder has the card.",
            "submit": "The cash is in the drawer",
            "fields": (PASSWORD,),
            "facts": (thing(name="Card", amount_cents=10_000),),
            "about": "The card's price",
            "status": "",
            "wrong": False,
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
            "about": "",
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
            "about": "",
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
            "about": "",
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
            "next_path": "#",
            "together": (
                thing(name="Card", amount_cents=10_000),
                thing(name="Load", amount_cents=50_000),
                thing(name="Total in cash", amount_cents=60_000),
            ),
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
            "next_path": "#",
            "together": (),
            "record_id": "0190f5d2-7a3b-7c1d-8e4f-0123456789ab",
        },
    ),
)
