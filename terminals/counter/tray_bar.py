"""What a person sees of a tray: a bar with cards a minute, and a line for each card that failed."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from terminals.counter.tray import Fate, Result, TrayReport


class TrayBar:
    """On standard error, so that the answer stays clean. Without a terminal it prints a line for each card."""

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("Cards"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} a minute"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("cards", total=total, rate="-")
        self._made = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, result: Result) -> None:
        if result.fate is Fate.MADE:
            self._made += 1
            elapsed = self._progress.tasks[0].elapsed
            rate = f"{self._made * 60 / elapsed:.1f}" if elapsed else "-"
            self._progress.update(self._task, advance=1, rate=rate)
        elif result.fate is Fate.REFUSED:
            self._progress.update(self._task, advance=1)
        if result.fate is not Fate.MADE or not self._console.is_terminal:
            self._console.print(escape(f"{result.card_id}  {result.fate.value}  {result.detail}".rstrip()))


def tray_sentence(report: TrayReport) -> str:
    """The report in a line or two."""
    parts = [f"{report.count(Fate.MADE)} made ({report.cards_per_minute:.1f} a minute)"]
    parts += [f"{report.count(fate)} {fate.value}" for fate in Fate if fate is not Fate.MADE and report.count(fate)]
    left = f" {report.left} orders are left." if report.left else ""
    return f"{', '.join(parts)}.{left} {report.stopped}".strip()
