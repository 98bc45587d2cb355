"""The chart of accounts as a document: which accounts may be opened, what they are called, who may touch them.

A chart is data with versions. The next version may add, retitle and retire; it never changes what a pattern is that has
accounts.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from typing import Any

from cardsvc.ledger.rules.chart import AccountKind, AccountPolicy, AccountSpec, Fund, control_code
from cardsvc.ledger.rules.errors import InvalidAccount, InvalidChart

DOCUMENT_BYTES_MAX = 512 * 1024
_TITLE_LETTERS_MAX = 120
_ID = "{id}"
_CODE = "{code}"
_PART_REGEX = {_ID: r"(?:\*|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", _CODE: r"[^:\s]{1,64}"}
_LITERAL = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
_GOVERNMENT_CODE = re.compile(r"[0-9]( [0-9]{2}){2} [0-9]{3}|", re.ASCII)


class PurseRule(StrEnum):
    """Whether an account of a pattern is a purse."""

    NEVER = "never"
    MAY = "may"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What every account has whose code fits `pattern`. `journal`: a journal entry voucher may touch it."""

    pattern: str
    kind: AccountKind
    policy: AccountPolicy
    fund: Fund
    title: str
    title_fil: str = ""
    floor_cents: int | None = None
    government_code: str = ""
    group: str = ""
    journal: bool = False
    purse: PurseRule = PurseRule.NEVER
    retired: bool = False

    def regex(self) -> str:
        return ":".join(_PART_REGEX.get(part, re.escape(part)) for part in self.pattern.split(":"))

    def nature(self) -> str:
        """What cannot change while it has accounts, in words."""
        floor = "no floor" if self.floor_cents is None else f"floor {self.floor_cents}"
        purse = {PurseRule.NEVER: "", PurseRule.MAY: ", may be a purse", PurseRule.ALWAYS: ", a purse"}[self.purse]
        return f"{self.kind}, {self.policy}, fund {self.fund}, {floor}{purse}"

    def check(self, spec: AccountSpec) -> None:
        """Raises: InvalidAccount where the account is not what the chart says of its code."""
        if self.retired:
            raise InvalidAccount(spec.code, f"the chart has retired {self.pattern}; it takes no new accounts")
        wanted = (self.kind, self.policy, self.fund, self.floor_cents)
        fits = wanted == (spec.kind, spec.policy, spec.fund, spec.floor_cents)
        other_purse = PurseRule.NEVER if spec.purse is not None else PurseRule.ALWAYS
        if not fits or self.purse is other_purse:
            raise InvalidAccount(spec.code, f"the chart has {self.pattern} as {self.nature()}")


@dataclass(frozen=True, slots=True)
class Group:
    code: str
    title: str
    title_fil: str = ""


@dataclass(frozen=True)  # no slots: what is worked out once is kept
class Chart:
    """The patterns, of which at most one fits any code, and the groups of reports."""

    title: str
    patterns: tuple[Pattern, ...]
    groups: tuple[Group, ...] = ()
    _by_pattern: Mapping[str, Pattern] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_pattern", {pattern.pattern: pattern for pattern in self.patterns})

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("|".join(f"({pattern.regex()})" for pattern in self.patterns))

    def named(self, pattern: str) -> Pattern | None:
        return self._by_pattern.get(pattern)

    def find(self, code: str) -> Pattern | None:
        """The pattern of an account's code, or of a control code (`wallet:*:main`)."""
        match = self._regex.fullmatch(code)
        return None if match is None or match.lastindex is None else self.patterns[match.lastindex - 1]

    def check(self, spec: AccountSpec) -> None:
        """Raises: InvalidAccount, naming the nearest pattern where none fits."""
        found = self.find(spec.code)
        if found is None:
            nearest = self._nearest(spec.code)
            raise InvalidAccount(spec.code, f"the chart of accounts has no such code; the nearest is {nearest}")
        found.check(spec)

    def title_of(self, code: str, language: str = "en") -> str:
        """What an account is called; its code where the chart does not know it."""
        found = self.find(code)
        if found is None:
            return code
        return found.title_fil if language == "fil" and found.title_fil else found.title

    def _nearest(self, code: str) -> str:
        shape = control_code(code).replace("*", _ID)
        likeness = [SequenceMatcher(None, shape, pattern.pattern).ratio() for pattern in self.patterns]
        best = self.patterns[likeness.index(max(likeness))]
        return f"{best.pattern} ({best.nature()})"


# ------------------------------------------------------------------------------------------------------- the document


def read_chart(text: str) -> Chart:
    """A chart from its TOML. Raises: InvalidChart, naming everything that is wrong with it."""
    if len(text.encode()) > DOCUMENT_BYTES_MAX:
        raise InvalidChart("The chart of accounts is too long: at most 512 KiB are read.")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidChart(f"The chart of accounts is not TOML: {error}.") from error
    problems: dict[str, list[str]] = {}
    title = document.pop("title", None)
    if not _is_title(title):
        problems["title"] = ["Say in a line what chart this is."]
    groups = tuple(_groups(_tables(document.pop("group", []), "group", problems), problems))
    codes = {group.code for group in groups}
    patterns = tuple(_patterns(_tables(document.pop("account", []), "account", problems), codes, problems))
    for name in document:
        problems[name] = ["A chart has title, group and account, nothing else."]
    if not patterns and not problems:
        problems["account"] = ["A chart has accounts."]
    _find_overlaps(patterns, problems)
    if problems:
        raise InvalidChart(f"The chart of accounts has {len(problems)} faults; nothing was adopted.", fields=problems)
    return Chart(str(title), patterns, groups)


def _tables(value: object, name: str, problems: dict[str, list[str]]) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    problems[name] = [f"Write each as a table: [[{name}]]."]
    return []


def _groups(rows: Sequence[dict[str, Any]], problems: dict[str, list[str]]) -> Iterable[Group]:
    known = {item.name for item in fields(Group)}
    for number, row in enumerate(rows, start=1):
        if row.keys() - known or not all(_is_title(text) for text in (row.get("code"), row.get("title"))):
            problems[f"group {number}"] = ["A group has code, title and perhaps title_fil."]
        else:
            yield Group(row["code"], row["title"], str(row.get("title_fil", "")))


def _patterns(
    rows: Sequence[dict[str, Any]], groups: Collection[str], problems: dict[str, list[str]]
) -> Iterable[Pattern]:
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        name = str(row.get("pattern", f"account {number}"))
        found = _flaws(row, groups)
        if name in seen:
            found.append("It is in the chart twice.")
        seen.add(name)
        if found:
            problems[name] = found
            continue
        yield Pattern(
            **{
                **row,
                "kind": AccountKind(row["kind"]),
                "policy": AccountPolicy(row["policy"]),
                "fund": Fund(row["fund"]),
                "purse": PurseRule(row.get("purse", PurseRule.NEVER)),
            }
        )


_REQUIRED = ("pattern", "kind", "policy", "fund", "title")
_CHOICES: Mapping[str, type[StrEnum]] = {
    "kind": AccountKind,
    "policy": AccountPolicy,
    "fund": Fund,
    "purse": PurseRule,
}


def _flaws(row: Mapping[str, Any], groups: Collection[str]) -> list[str]:
    known = {item.name for item in fields(Pattern)}
    flaws = [f"{name} is missing." for name in _REQUIRED if name not in row]
    flaws += [f"{name} is not known here." for name in sorted(row.keys() - known)]
    for name, choice in _CHOICES.items():
        if name in row and row[name] not in set(choice):
            flaws.append(f"{name} is one of {', '.join(choice)}.")
    flaws += [
        f"{name} is true or false." for name in ("journal", "retired") if not isinstance(row.get(name, False), bool)
    ]
    if not all(_is_part(part) for part in str(row.get("pattern", "")).split(":")):
        flaws.append("pattern has parts of small letters and digits, {id} or {code} between colons.")
    if ("title" in row and not _is_title(row["title"])) or not _is_title(row.get("title_fil", "-")):
        flaws.append(f"title is a line of at most {_TITLE_LETTERS_MAX} characters.")
    if not _GOVERNMENT_CODE.fullmatch(str(row.get("government_code", ""))):
        flaws.append('government_code is written as "1 01 01 010", or left out.')
    if row.get("group", "") not in {"", *groups}:
        flaws.append("group is not one of the chart's groups.")
    floor = row.get("floor_cents")
    if floor is not None and (type(floor) is not int or floor > 0 or row.get("policy") == "derived"):
        flaws.append("floor_cents is a whole number of at most 0, and only checked accounts have one.")
    if row.get("purse", "never") != "never" and (row.get("policy"), floor) != ("checked", 0):
        flaws.append("A purse is checked and has the floor 0.")
    return flaws


def _is_part(part: str) -> bool:
    return part in _PART_REGEX or _LITERAL.fullmatch(part) is not None


def _is_title(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _TITLE_LETTERS_MAX and text.isprintable()


def _find_overlaps(patterns: Sequence[Pattern], problems: dict[str, list[str]]) -> None:
    """No code may fit two patterns: then the chart would not say what it is."""
    for number, one in enumerate(patterns):
        for other in patterns[:number]:
            parts = one.pattern.split(":"), other.pattern.split(":")
            if len(parts[0]) == len(parts[1]) and all(map(_may_be_same, *parts)):
                problems.setdefault(one.pattern, []).append(f"A code could fit {other.pattern} too.")


def _may_be_same(one: str, other: str) -> bool:
    if one in _PART_REGEX and other in _PART_REGEX:
        return True
    return any(re.fullmatch(_PART_REGEX.get(a, re.escape(a)), b) is not None for a, b in ((one, other), (other, one)))
