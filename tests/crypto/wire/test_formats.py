"""FORMATS.md is normative: what it says about numbers, fields and words is what the code does."""

import dataclasses
import re
from pathlib import Path

import pytest

import crypto
from crypto.pki import CertificatePurpose
from crypto.wire import batch, policy, query, receipt
from crypto.wire.benefits import Claim, CycleApproved, EntitlementsQuery
from crypto.wire.body import Tagged, _plan
from crypto.wire.denylist import DELTA_AAD, LIST_AAD, DenyDelta, DenyList
from crypto.wire.disputes import DisputeSettled
from crypto.wire.evidence import SEAL_AAD, STATEMENT_AAD
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
from crypto.wire.kinds import Kind
from crypto.wire.policy import FlatFare, OfflineLimits, Policy
from crypto.wire.reasons import Reason
from crypto.wire.receipt import Receipt
from crypto.wire.taxes import BillsQuery, TaxPayment
from crypto.wire.transaction import Purpose, Reversal
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

TEXT = (Path(crypto.__file__).parent / "FORMATS.md").read_text()

MAPS: list[type[Tagged]] = [
    CashTopUp, ShiftOpened, ShiftClosed, Tap, CycleApproved, Claim, TaxPayment, BankDeposit, Funding, CashWithdrawal,
    Reversal, JournalEntry, JournalLine, BalanceQuery, EntitlementsQuery, BillsQuery, Receipt, Policy, OfflineLimits,
    FlatFare, FareRefunded, PassBought, CardPaid, BankTransfer, TransferAssigned, AutoTopUp,
    DisputeSettled, DenyList, DenyDelta, HoldPlaced, HoldCaptured, HoldReleased, PurseFunded, PurseExpired,
]  # fmt: skip


def name_of(cls: type[Tagged]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


@pytest.mark.parametrize("cls", MAPS, ids=name_of)
def test_every_field_has_the_tag_that_the_page_gives_it(cls: type[Tagged]) -> None:
    block = re.search(rf"^{name_of(cls)} = \{{(.*?)\}}$", TEXT, re.MULTILINE | re.DOTALL)
    assert block is not None
    written = re.findall(r"^  (\?)? ?(\d+): .*?; (\w+)", block[1], re.MULTILINE)
    fields = [("" if entry.required else "?", str(entry.tag), entry.name) for entry in _plan(cls)]
    assert written == fields
    assert len(fields) == len(dataclasses.fields(cls))  # type: ignore[arg-type]


def test_every_kind_has_its_number_and_no_number_has_two() -> None:
    written = re.findall(r"^\| (\d+) \| ([A-Z_]+) \| ([a-z-]+)", TEXT, re.MULTILINE)
    assert [(int(number), kind) for number, kind, _ in written] == [(kind.value, kind.name) for kind in Kind]
    bodies = {name_of(cls) for cls in MAPS if hasattr(cls, "KIND")}
    assert {body for _, _, body in written} == bodies | {"reserved"}


def test_every_purpose_and_envelope_has_the_external_data_of_the_page() -> None:
    for purpose in Purpose:
        assert re.search(rf"purpose {purpose.value} {purpose.name} \|.*`{purpose.aad.decode()}`", TEXT)
    for module in (batch, query, receipt, policy):
        assert f"`{module.AAD.decode()}`" in TEXT
    for aad in (LIST_AAD, DELTA_AAD, STATEMENT_AAD, SEAL_AAD):
        assert f"`{aad.decode()}`" in TEXT


def test_reasons_stand_in_their_precedence() -> None:
    assert ", ".join(Reason) in " ".join(TEXT.split())


def test_every_certificate_has_its_row() -> None:
    arc = "2.25.184825959730870030376044622886337832854"
    for purpose in CertificatePurpose:
        number = purpose.profile.policy.dotted_string.removeprefix(arc)
        (row,) = re.findall(rf"^\| {purpose.name}\b.*$", TEXT, re.MULTILINE)
        assert f"| arc{number} |" in row
        assert ("nonRepudiation" in row) == purpose.profile.non_repudiation
        assert ("urn:uuid:" in row) == purpose.profile.names_bearer
