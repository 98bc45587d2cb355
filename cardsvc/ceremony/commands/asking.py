"""Who answers: people at the keyboard, or a file of answers for tests and rehearsals."""

import json
from pathlib import Path
from typing import Any, Protocol

import click


class Asker(Protocol):
    is_rehearsal: bool

    def ask(self, key: str, question: str) -> str:
        """A line of text."""

    def some(self, key: str, question: str) -> tuple[str, ...]:
        """Lines of text until an empty one."""

    def secret(self, key: str, question: str, *, twice: bool) -> str:
        """A line that nobody else sees."""

    def confirm(self, who: str) -> bool:
        """Whether this person says yes."""


class Keyboard:
    """People in front of this machine. Everything is shown on stderr, so that stdout is the transcript alone."""

    is_rehearsal = False

    def ask(self, key: str, question: str) -> str:
        return str(click.prompt(f"  {question}", err=True)).strip()

    def some(self, key: str, question: str) -> tuple[str, ...]:
        found: list[str] = []
        while text := str(click.prompt(f"  {question}", default="", show_default=False, err=True)).strip():
            found.append(text)
        return tuple(found)

    def secret(self, key: str, question: str, *, twice: bool) -> str:
        return str(click.prompt(f"  {question}", hide_input=True, confirmation_prompt=twice, err=True))

    def confirm(self, who: str) -> bool:
        question = f"  {who}, is this right? Type yes or no"
        return bool(click.prompt(question, type=click.Choice(["yes", "no"]), show_choices=False, err=True) == "yes")


class Answers:
    """A JSON object: operator, custodians, witnesses, parts, and `refuse`, who says no."""

    is_rehearsal = True

    def __init__(self, path: Path) -> None:
        self._given: dict[str, Any] = json.loads(path.read_text())

    def ask(self, key: str, question: str) -> str:
        found = self._take(key, question)
        click.echo(f"  {question}: {found}", err=True)
        return found

    def some(self, key: str, question: str) -> tuple[str, ...]:
        found = tuple(str(one) for one in self._given.get(key, []))
        for one in found:
            click.echo(f"  {question}: {one}", err=True)
        return found

    def secret(self, key: str, question: str, *, twice: bool) -> str:
        click.echo(f"  {question}:", err=True)
        return self._take(key, question)

    def confirm(self, who: str) -> bool:
        says_yes = who != self._given.get("refuse")
        click.echo(f"  {who}, is this right? Type yes or no: {'yes' if says_yes else 'no'}", err=True)
        return says_yes

    def _take(self, key: str, question: str) -> str:
        """A key may be like `parts.1`: the second of a list."""
        name, _, index = key.partition(".")
        try:
            found = self._given[name]
            return str(found[int(index)] if index else found)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise click.ClickException(f"The file of answers has no {key} ({question}).") from error
