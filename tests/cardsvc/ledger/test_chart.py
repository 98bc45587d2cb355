"""The chart of accounts: what may be opened, and what one version may do to the one before."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.ledger.actions.chart import adopt_packaged, check_chart, packaged_chart
from cardsvc.ledger.queries import chart as queries
from cardsvc.ledger.rules.errors import InvalidChart
from cardsvc.ledger.rules.patterns import Chart, read_chart
from cardsvc.ledger.rules.succession import changes, completed, write_chart

AT = datetime(2026, 11, 22, 4, tzinfo=UTC)
WALLET = "wallet:6b6d1a42-0000-4000-8000-5c5c5c5c5c5c"
SMALL = """
title = "Small"
[[account]]
pattern = "cash:vault"
kind = "asset"
policy = "checked"
fund = "general"
floor_cents = 0
title = "Vault"
[[account]]
pattern = "wallet:{id}:main"
kind = "liability"
policy = "checked"
fund = "trust"
floor_cents = 0
title = "Wallets"
"""


def spec(
    code: str, kind: str = "asset", policy: str = "checked", fund: str = "general", floor: int | None = 0
) -> ledger.AccountSpec:
    return ledger.AccountSpec(
        code, ledger.AccountKind(kind), ledger.AccountPolicy(policy), ledger.Fund(fund), floor_cents=floor
    )


def test_the_packaged_chart_reads_and_is_written_back_the_same() -> None:
    chart = read_chart(packaged_chart())
    assert read_chart(write_chart(chart)) == chart


def test_a_ledger_without_a_chart_opens_anything(session: Session) -> None:
    ledger.open_accounts(session, [spec("anything:at:all")], AT)
    assert queries.chart(session) is None


def test_what_the_chart_does_not_have_is_refused_with_the_nearest_pattern(session: Session) -> None:
    adopt_packaged(session, AT)
    with pytest.raises(ledger.InvalidAccount, match=r"nearest is wallet:\{id\}:main \(liability, checked, fund trust"):
        ledger.open_accounts(session, [spec(f"{WALLET}:mian")], AT)


@pytest.mark.parametrize(
    "wrong",
    [
        spec(f"{WALLET}:main"),
        spec(f"{WALLET}:main", "liability", "checked", "general"),
        spec(f"{WALLET}:main", "liability", "checked", "trust", None),
        spec(f"{WALLET}:main", "liability", "derived", "trust", None),
    ],
)
def test_an_account_is_what_its_pattern_says(session: Session, wrong: ledger.AccountSpec) -> None:
    adopt_packaged(session, AT)
    with pytest.raises(ledger.InvalidAccount, match="the chart has wallet"):
        ledger.open_accounts(session, [wrong], AT)


def test_a_purse_is_opened_only_where_the_chart_has_purses(session: Session) -> None:
    adopt_packaged(session, AT)
    bare = spec(f"{WALLET}:purse:rice", "liability", "checked", "trust")
    with pytest.raises(ledger.InvalidAccount, match="a purse"):
        ledger.open_accounts(session, [bare], AT)


def test_adopting_the_packaged_chart_again_changes_nothing(session: Session) -> None:
    adopt_packaged(session, AT)
    adopt_packaged(session, AT)
    assert [version.number for version in queries.history(session)] == [1]


def test_retired_patterns_take_no_new_accounts_and_keep_the_old_ones(session: Session) -> None:
    adopt_packaged(session, AT)
    ledger.open_accounts(session, [spec("cash:vault")], AT)
    retired = packaged_chart().replace('pattern = "cash:vault"', 'pattern = "cash:vault"\nretired = true')
    assert check_chart(session, retired).retired == ("cash:vault",)
    with pytest.raises(ledger.InvalidAccount, match="retired"):
        read_chart(retired).check(spec("cash:vault"))


def test_a_pattern_with_accounts_stays_what_it_is(session: Session) -> None:
    adopt_packaged(session, AT)
    ledger.open_accounts(session, [spec("cash:vault")], AT)
    text = packaged_chart()
    start = text.index('pattern = "cash:vault"')
    for old, new in (
        ('"asset"', '"expense"'),
        ('"general"', '"trust"'),
        ("floor_cents = 0\n", ""),
        ('"checked"\n', '"derived"\n'),
    ):
        other = text[:start] + text[start:].replace(old, new, 1)
        if "derived" in new:
            other = other[:start] + other[start:].replace("floor_cents = 0\n", "", 1)
        with pytest.raises(InvalidChart) as refused:
            check_chart(session, other)
        assert list(refused.value.fields) == ["cash:vault"]


def test_a_pattern_without_accounts_may_change_or_go() -> None:
    old = read_chart(SMALL)
    new = read_chart(SMALL.replace('"wallet:{id}:main"', '"wallet:{id}:first"').replace('"asset"', '"expense"'))
    found = changes(old, new, used=())
    assert (found.added, found.changed, found.removed) == (
        ("wallet:{id}:first",),
        ("cash:vault",),
        ("wallet:{id}:main",),
    )
    with pytest.raises(InvalidChart, match="have accounts"):
        changes(old, new, used=["wallet:{id}:main"])


def test_a_citys_own_chart_is_completed_with_what_a_release_needs() -> None:
    own = read_chart(SMALL.replace('"Vault"', '"Our vault"'))
    after = completed(own, read_chart(packaged_chart()))
    assert after.title_of("cash:vault") == "Our vault"
    assert after.title_of("revenue:rpt:sef") == "Special education tax"


def test_titles_are_found_for_accounts_and_control_accounts(session: Session) -> None:
    adopt_packaged(session, AT)
    codes = [f"{WALLET}:main", "wallet:*:main", "interfund:sef", "unheard:of"]
    assert queries.titles(session, codes) == {
        f"{WALLET}:main": "Residents' wallets",
        "wallet:*:main": "Residents' wallets",
        "interfund:sef": "Due to (or from) other funds",
        "unheard:of": "unheard:of",
    }
    assert queries.titles(session, ["wallet:*:main"], "fil") == {"wallet:*:main": "Mga pitaka ng mga residente"}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ('title = "x"\n[[account]]\npattern = "a"', "a"),
        (SMALL.replace('"asset"', '"money"'), "cash:vault"),
        (SMALL.replace('"cash:vault"', '"cash vault"'), "cash vault"),
        (SMALL.replace("floor_cents = 0", "floor_cents = 5"), "cash:vault"),
        (SMALL.replace('title = "Vault"', 'title = "Vault"\ngovernment_code = "123"'), "cash:vault"),
        (SMALL.replace('title = "Vault"', 'title = "Vault"\ngroup = "nowhere"'), "cash:vault"),
        (SMALL.replace('title = "Vault"', 'title = "Vault"\ncolour = "red"'), "cash:vault"),
        (SMALL.replace('"cash:vault"', '"wallet:{code}:main"'), "wallet:{id}:main"),
        (SMALL + "[books]\n", "books"),
        ('title = "Empty"', "account"),
        ("account = 3", "account"),
    ],
)
def test_a_chart_that_cannot_be_is_refused_where_it_is_wrong(wrong: str, where: str) -> None:
    with pytest.raises(InvalidChart) as refused:
        read_chart(wrong)
    assert where in refused.value.fields


def test_what_is_no_toml_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidChart, match="not TOML"):
        read_chart("pattern: cash")


@given(st.text(alphabet='[]="{}:\n abcidtle-#', max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        assert isinstance(read_chart(text), Chart)
    except InvalidChart as refused:
        assert str(refused)  # noqa: PT017 - either outcome is right, no third


def _fitting(chart: Chart) -> Sequence[str]:
    return [p.pattern.replace("{id}", WALLET[7:]).replace("{code}", "X-1") for p in chart.patterns]


def test_each_code_fits_one_pattern_its_own() -> None:
    chart = read_chart(packaged_chart())
    for code, pattern in zip(_fitting(chart), chart.patterns, strict=True):
        assert chart.find(code) is pattern
