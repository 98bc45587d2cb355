"""Small journals: each line is a command with its result. Entries that stand together are one batch."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.errors import CityError

AT = datetime(2026, 11, 2, tzinfo=UTC)
ENTRY = re.compile(r"(?P<name>\w+)(?: in (?P<currency>\w+))?(?: undoes (?P<undoes>\w+))?: (?P<lines>.*?) *-> .*")


def entry_id(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, name)


@dataclass
class Player:
    """Plays a journal and writes down what it sees, in the journal's own words."""

    session: Session
    seen: list[str] = field(default_factory=list)
    batch: list[tuple[str, ledger.Draft]] = field(default_factory=list)
    seq: int = 0

    def play(self, text: str) -> str:
        for line in text.splitlines():
            match = ENTRY.fullmatch(line)
            if match:
                self.batch.append((line.rpartition("-> ")[0], self.draft(match)))
                continue
            self.post()
            self.seen.append(self.command(line))
        self.post()
        ledger.check_books(self.session)
        return "\n".join(self.seen)

    def draft(self, match: re.Match[str]) -> ledger.Draft:
        lines = [part.split() for part in match["lines"].split(", ")]
        return ledger.Draft(
            entry_id=entry_id(match["name"]),
            kind=ledger.EntryKind.ADJUSTMENT,
            lines=tuple(ledger.Line(words[0], int(words[1]), tuple(words[3:])) for words in lines if words),
            happened_at=AT,
            rule="journal",
            currency=match["currency"] or "PHP",
            reverses=entry_id(match["undoes"]) if match["undoes"] else None,
        )

    def post(self) -> None:
        drafts = [draft for _, draft in self.batch]
        results = ledger.post(self.session, drafts, first_seq=self.seq, recorded_at=AT)
        self.seq += len(drafts)
        self.seen += [
            f"{line}-> {shown(draft, result)}" for (line, draft), result in zip(self.batch, results, strict=True)
        ]
        self.batch.clear()

    def command(self, line: str) -> str:
        match line.split():
            case ["open", code, kind, policy, *options]:
                named = dict(zip(options[::2], options[1::2], strict=True))
                spec = ledger.AccountSpec(
                    code,
                    ledger.AccountKind(kind),
                    ledger.AccountPolicy(policy),
                    ledger.Fund.GENERAL,
                    floor_cents=int(named["floor"]) if "floor" in named else None,
                    currency=named.get("in", "PHP"),
                )
                ledger.open_accounts(self.session, [spec], AT)
            case ["close", code, *_]:
                try:
                    ledger.close_account(self.session, code, AT)
                except CityError as error:
                    return f"close {code} -> {error.code}"
            case ["balance", code, _, _]:
                return f"balance {code} = {ledger.balances(self.session, [code])[code]}"
        return line


def shown(draft: ledger.Draft, result: ledger.Posted | ledger.Refused) -> str:
    if isinstance(result, ledger.Refused):
        return result.reason.value
    asked = [ledger.PostedLine(line.account, line.amount_cents) for line in draft.lines]
    if list(result.lines) == asked:
        return "posted"
    return "posted as " + ", ".join(f"{line.account} {line.amount_cents:+}" for line in result.lines)


def check(session: Session, journal: str) -> None:
    journal = "\n".join(line.strip() for line in journal.strip().splitlines())
    assert Player(session).play(journal) == journal


def test_the_first_of_two_competing_drafts_wins(session: Session) -> None:
    check(
        session,
        """
        open drawer asset derived
        open wallet liability checked floor 0
        open bus revenue derived
        e1: drawer +100, wallet -100 -> posted
        e2: wallet +70, bus -70 -> posted
        e3: wallet +70, bus -70 -> insufficient_funds
        e4: wallet +30, bus -30 -> posted
        balance wallet = 0
        balance bus = 100
        balance drawer = 100
        e5: wallet +1, bus -1 -> insufficient_funds
        """,
    )


def test_the_rest_is_drawn_from_the_next_purse_and_then_becomes_a_receivable(session: Session) -> None:
    check(
        session,
        """
        open drawer asset derived
        open fares liability checked floor 0
        open main liability checked floor 0
        open owed asset checked floor 0
        open bus revenue derived
        e1: drawer +50, fares -20, main -30 -> posted
        e2: fares +15 then main owed, bus -15 -> posted
        e3: fares +15 then main owed, bus -15 -> posted as fares +5, main +10, bus -15
        e4: fares +25 then main owed, bus -25 -> posted as main +20, owed +5, bus -25
        e5: fares +3 then main, bus -3 -> insufficient_funds
        balance owed = 5
        """,
    )


def test_a_top_up_repays_what_is_owed_first(session: Session) -> None:
    check(
        session,
        """
        open drawer asset derived
        open main liability checked floor 0
        open owed asset checked floor 0
        open bus revenue derived
        e1: main +8 then owed, bus -8 -> posted as owed +8, bus -8
        e2: drawer +5, owed -5 then main -> posted
        e3: drawer +5, owed -5 then main -> posted as drawer +5, owed -3, main -2
        e4: drawer +5, owed -5 then main -> posted as drawer +5, main -5
        balance owed = 0
        balance main = 7
        """,
    )


def test_a_refused_draft_leaves_nothing_behind(session: Session) -> None:
    check(
        session,
        """
        open a asset checked floor 0
        open b asset checked floor 0
        open equity equity derived
        e1: a +10, equity -10 -> posted
        e2: a -10, b +20, equity -5, b -5 -> posted
        balance b = 15
        e3: b -15, a -1, equity +16 -> insufficient_funds
        balance b = 15
        e3: b -15, equity +15 -> posted
        """,
    )


def test_a_known_id_is_refused_in_the_same_batch_and_later(session: Session) -> None:
    check(
        session,
        """
        open a asset checked
        open equity equity derived
        e1: a +10, equity -10 -> posted
        e1: a +10, equity -10 -> duplicate_entry
        balance a = 10
        e1: a +11, equity -11 -> duplicate_entry
        balance a = 10
        """,
    )


def test_an_entry_is_undone_once_by_another_entry(session: Session) -> None:
    check(
        session,
        """
        open a asset checked floor 0
        open equity equity derived
        e1: a +10, equity -10 -> posted
        e2 undoes e1: a -10, equity +10 -> posted
        e3 undoes e1: a -10, equity +10 -> already_reversed
        e4: a +1, equity -1 -> posted
        e5 undoes e1: a -1, equity +1 -> already_reversed
        e6 undoes nothing: a -1, equity +1 -> unknown_entry
        e7 undoes e4: a -1, equity +1 -> posted
        balance a = 0
        """,
    )


def test_each_reason_and_which_of_several_is_given(session: Session) -> None:
    check(
        session,
        f"""
        open a asset checked floor 0
        open usd asset checked floor 0 in USD
        open old asset checked
        open equity equity derived
        e1: old +1, equity -1 -> posted
        close old -> account_not_empty
        e2: old -1, equity +1 -> posted
        close old
        a1: a +1 -> unbalanced
        a2:  -> unbalanced
        a3: a +1, nobody -2 -> unbalanced
        a4: a +0, nobody +0 -> amount_out_of_range
        a5: a +{2**63}, nobody -{2**63} -> amount_out_of_range
        e1: nobody +1, old -1 -> duplicate_entry
        a6: nobody +1, old -1 -> unknown_account
        a7: a -1 then nobody, equity +1 -> unknown_account
        a8: usd +1, old -1 -> account_closed
        a9: usd +1, a -1 -> wrong_currency
        b1 in USD: usd +1, a -1 -> wrong_currency
        b2: a -1, equity +1 -> insufficient_funds
        """,
    )


def test_balances_reach_the_ends_of_64_bits_and_not_beyond(session: Session) -> None:
    most = 2**63 - 1
    check(
        session,
        f"""
        open a asset checked
        open b asset checked
        e1: a +{most}, b -{most} -> posted
        e2: a +1, b -1 -> amount_out_of_range
        e3: a -{most}, b +{most} -> posted
        e4: a -{most}, b +{most} -> posted
        balance a = -{most}
        balance b = {most}
        """,
    )


def test_opening_an_account_again_changes_nothing_and_another_one_under_its_code_is_refused(session: Session) -> None:
    def spec(floor_cents: int | None) -> ledger.AccountSpec:
        kinds = ledger.AccountKind.ASSET, ledger.AccountPolicy.CHECKED, ledger.Fund.GENERAL
        return ledger.AccountSpec("cash:vault", *kinds, floor_cents)

    ledger.open_accounts(session, [spec(0), spec(0)], AT)
    ledger.open_accounts(session, [spec(0)], AT)
    with pytest.raises(ledger.AccountDiffers, match="cash:vault"):
        ledger.open_accounts(session, [spec(None)], AT)
    with pytest.raises(ledger.AccountDiffers):
        ledger.open_accounts(session, [spec(0), spec(-5)], AT)


@pytest.mark.parametrize(
    ("code", "policy", "floor_cents"),
    [("", "checked", 0), ("a b", "checked", 0), ("a", "derived", 0), ("a", "checked", 1)],
)
def test_an_account_that_cannot_work_is_not_specified(code: str, policy: str, floor_cents: int) -> None:
    with pytest.raises(ledger.InvalidAccount):
        ledger.AccountSpec(
            code, ledger.AccountKind.ASSET, ledger.AccountPolicy(policy), ledger.Fund.GENERAL, floor_cents
        )
