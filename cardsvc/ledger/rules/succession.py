"""From one version of the chart of accounts to the next: what may change, said so that two people can agree to it."""

import json
from collections.abc import Collection
from dataclasses import dataclass, fields

from cardsvc.ledger.rules.errors import InvalidChart
from cardsvc.ledger.rules.patterns import Chart, Group, Pattern, PurseRule


@dataclass(frozen=True, slots=True)
class Changes:
    """Patterns by what happens to them. `changed`: another title, code, group, or rule for journal entries."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    retired: tuple[str, ...]
    removed: tuple[str, ...]  # such as never had an account

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.retired or self.removed)

    def __str__(self) -> str:
        parts = [f"{verb} {', '.join(names)}" for verb, names in self._named() if names]
        return "; ".join(parts) or "change nothing"

    def _named(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return ("add", self.added), ("change", self.changed), ("retire", self.retired), ("remove", self.removed)


def changes(old: Chart, new: Chart, used: Collection[str]) -> Changes:
    """What the new chart changes. `used` are the patterns of the old one that have accounts.

    Raises: InvalidChart where one of them would become something else, or leave the chart.
    """
    problems: dict[str, list[str]] = {}
    for pattern in sorted(used):
        before, after = old.named(pattern), new.named(pattern)
        if before is None:
            continue
        if after is None:
            problems[pattern] = ["It has accounts, so it stays in the chart: retire it instead."]
        elif before.nature() != after.nature():
            problems[pattern] = [f"It has accounts, so it stays {before.nature()}: add another pattern."]
    if problems:
        raise InvalidChart(f"{len(problems)} patterns have accounts and cannot change so.", fields=problems)
    kept = [(one, old.named(one.pattern)) for one in new.patterns]
    return Changes(
        added=tuple(one.pattern for one, before in kept if before is None),
        changed=tuple(
            one.pattern
            for one, before in kept
            if before is not None and before != one and before.retired == one.retired
        ),
        retired=tuple(one.pattern for one, before in kept if before is not None and one.retired and not before.retired),
        removed=tuple(one.pattern for one in old.patterns if new.named(one.pattern) is None),
    )


def completed(own: Chart, packaged: Chart) -> Chart:
    """The city's own chart with what a new release needs besides: its patterns that the city does not have."""
    missing = tuple(one for one in packaged.patterns if own.named(one.pattern) is None)
    codes = {group.code for group in own.groups}
    groups = tuple(group for group in packaged.groups if group.code not in codes)
    return Chart(own.title, own.patterns + missing, own.groups + groups)


def write_chart(chart: Chart) -> str:
    """The chart as a document that `read_chart` reads back."""
    parts = [f"title = {_text(chart.title)}\n"]
    for table, rows in (("group", chart.groups), ("account", chart.patterns)):
        for row in rows:
            lines = [f"{name} = {_text(value)}" for name, value in _stated(row)]
            parts.append("\n".join((f"[[{table}]]", *lines, "")))
    return "\n".join(parts)


def _stated(row: Group | Pattern) -> list[tuple[str, object]]:
    values = [(item.name, getattr(row, item.name)) for item in fields(row)]
    return [(name, value) for name, value in values if value not in ("", None, PurseRule.NEVER) and value is not False]


def _text(value: object) -> str:
    """A TOML value; of these kinds JSON writes them the same way."""
    return json.dumps(value, ensure_ascii=False)
