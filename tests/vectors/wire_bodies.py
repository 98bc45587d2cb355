"""One body of every kind of record and query, for the vectors of version 1. New ones stand at the end."""

from datetime import date
from uuid import UUID

from crypto.wire.benefits import Claim, CycleApproved, EntitlementsQuery
from crypto.wire.body import Body
from crypto.wire.disputes import DisputeSettled
from crypto.wire.finance import (
    BankDeposit,
    BankTransfer,
    CardPaid,
    CashWithdrawal,
    Funding,
    JournalEntry,
    JournalLine,
    ShiftClosed,
    ShiftOpened,
    TransferAssigned,
)
from crypto.wire.taxes import BillsQuery, TaxPayment
from crypto.wire.transaction import Reversal
from crypto.wire.transit import FareRefunded, PassBought, Tap
from crypto.wire.wallets import (
    AutoTopUp,
    BalanceQuery,
    CashTopUp,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    PurseExpired,
    PurseFunded,
)

AT_MS = 1_780_000_000_000
STAFF_ID = UUID("018f3c5e-7c00-7abc-8def-0123456789ac")
TERMINAL_ID = UUID("018f3c5e-7c00-7abc-8def-0123456789ab")
OTHER_ID = UUID("018f3c5e-7c00-7abc-8def-0123456789ad")
HASH = bytes(range(32))

BODIES: tuple[Body, ...] = (
    CashTopUp(50_000, "PHP", OTHER_ID),
    ShiftOpened(STAFF_ID, 100_000, "PHP"),
    ShiftClosed(STAFF_ID, OTHER_ID, 150_000, "PHP"),
    Tap("makati-loop", "ayala", "flat", 1_500, "PHP", 1, 7),
    CycleApproved(STAFF_ID, OTHER_ID, 1_000, 200_000_000, "PHP", HASH),
    Claim(OTHER_ID, 200_000, "PHP"),
    TaxPayment(OTHER_ID, 123_456, "PHP"),
    BankDeposit(STAFF_ID, 150_000, "PHP", "DEP-0001"),
    Funding(STAFF_ID, 500_000_000, "PHP", "equity.city", "NCA 2026-001"),
    CashWithdrawal(STAFF_ID, 100_000, "PHP", "WDL-0001"),
    Reversal(OTHER_ID, "Siningil nang dalawang beses (charged twice)"),
    HoldPlaced(
        OTHER_ID, 50_000, "PHP", "revenue:fees", "any", "Deposit on the hall", AT_MS + 86_400_000, 60_000, STAFF_ID
    ),
    HoldCaptured(STAFF_ID, OTHER_ID, 20_000, "PHP", final=True),
    HoldReleased(OTHER_ID, 30_000, "PHP"),
    PurseFunded(
        STAFF_ID,
        OTHER_ID,
        "rides-2026",
        "transit",
        100_000,
        "PHP",
        "benefits:RIDES:fund",
        AT_MS + 86_400_000,
        priority=1,
    ),
    PurseExpired(OTHER_ID, "rides-2026", 40_000, "PHP"),
    JournalEntry(
        STAFF_ID,
        OTHER_ID,
        "general",
        date(2026, 10, 31),
        "PHP",
        "Charges of October",
        "Statement 2026-10",
        (JournalLine("expense:bank-charges", 15_000), JournalLine("bank:main", -15_000)),
    ),
    DisputeSettled(STAFF_ID, OTHER_ID, HASH, "The gate was in the cellar"),
    FareRefunded(STAFF_ID, OTHER_ID, OTHER_ID, OTHER_ID, 1_300, 0, "PHP", "The gate at the exit was dark"),
    BankTransfer(STAFF_ID, HASH, 250_000, "PHP", "RF76067KRQKW01XB", OTHER_ID),
    TransferAssigned(STAFF_ID, OTHER_ID, OTHER_ID, 250_000, "PHP", "Her bank slip has the name and the day"),
    AutoTopUp(OTHER_ID, STAFF_ID, "family", 20_000, "PHP"),
    PassBought("bus-week", 7, date(2026, 11, 23), 15_000, "PHP"),
    CardPaid(STAFF_ID, OTHER_ID, TERMINAL_ID, 10_000, "PHP"),
)
QUERIES: tuple[Body, ...] = (BalanceQuery(), EntitlementsQuery(), BillsQuery())

# the same kinds with what they may leave out, or have besides
AGREED = DisputeSettled(STAFF_ID, OTHER_ID, HASH, "Two people looked at it", TERMINAL_ID)
REFUNDED = FareRefunded(STAFF_ID, OTHER_ID, TERMINAL_ID, OTHER_ID, 1_040, 260, "PHP", "Not their ride", TERMINAL_ID)
WAITING = BankTransfer(STAFF_ID, HASH, 250_000, "PHP")
LATER = Reversal(OTHER_ID, "Charged twice", date(2026, 10, 31))
VOUCHER = JournalEntry(
    STAFF_ID,
    OTHER_ID,
    "trust",
    date(2026, 10, 31),
    "PHP",
    "A top-up of the wrong wallet",
    "Letter of 2 November",
    (JournalLine("wallet:018f3c5e-7c00-7abc-8def-0123456789ad:main", 500_000), JournalLine("cash:vault", -500_000)),
    reverses=STAFF_ID,
)
