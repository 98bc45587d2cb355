"""The evidence from the command line: `audit export` and `audit verify`."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cardsvc import audit, db, web
from cardsvc.evidence import actions, queries
from cardsvc.evidence.rules import KeysUnreadable, Permit, WitnessesUnreadable
from crypto.errors import CryptoError
from crypto.tlog import TrustPolicy

FINDINGS_SHOWN = 20
UNSIGNED = 3
"""The exit code where all of it holds, but only under keys that nobody vouches for."""


_KEYS = click.option(
    "--keys",
    "keys_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="CITY_KEYS",
    help="The city's public keys, a text file from a source you trust. [env: CITY_KEYS]",
)
_WITNESSES = click.option(
    "--witnesses",
    "witnesses_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The witnesses that count and how many are enough, from a source you trust (form: C2SP tlog-policy).",
)


def make(permits: Mapping[int, Permit]) -> tuple[click.Command, ...]:
    """The two commands. `permits` says what each kind of record needs to count."""
    return _exporting(), _verifying(permits)


def _exporting() -> click.Command:
    @click.command("export")
    @click.argument("folder", type=click.Path(path_type=Path))
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def export_command(open_city: Callable[[], web.City], folder: Path, as_json: bool) -> None:
        """Write the city's whole evidence into FOLDER, which must be empty or not there yet.

        It is taken at a sealed position of the log: the newest signed head, which is published first. The files say who
        paid what, and only their owner may read them. Verify them with: city audit verify FOLDER.
        """
        city = open_city()
        now = city.clock.now()
        db.run(city.engine, lambda session: audit.publish(session, city.vault, now, city.settings.log_head))
        with _bar("writing") as progress, db.unit_of_work(city.engine, read_only=True) as session:
            told = lambda done, size: progress(done, size, 0)  # noqa: E731 - one line
            done = actions.export(session, city.vault, folder, program=_program(), now=now, progress=told)
        if as_json:
            facts = {"folder": str(done.folder), "tree_size": done.tree_size, "root": done.root.hex()}
            click.echo(
                json.dumps(facts | {"files": done.files, "bytes": done.size, "sha256": done.manifest_hash.hex()})
            )
        else:
            click.echo(f"{done.files:,} files, {done.size:,} bytes, {done.tree_size:,} leaves of the log in {folder}.")
            click.echo(f"The manifest's SHA-256 is {done.manifest_hash.hex()}.")

    return export_command


def _verifying(permits: Mapping[int, Permit]) -> click.Command:
    @click.command("verify")
    @click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
    @_KEYS
    @_WITNESSES
    @click.option("--unsigned", is_flag=True, help="Exit 0 without --keys: whose evidence it is, is known otherwise.")
    @click.option("--jobs", type=click.IntRange(1), help="Processes; as many as there are cores unless said.")
    @click.option("--all", "show_all", is_flag=True, help=f"Show every finding, not the first {FINDINGS_SHOWN}.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def verify_command(
        folder: Path,
        keys_file: Path | None,
        witnesses_file: Path | None,
        unsigned: bool,
        jobs: int | None,
        show_all: bool,
        as_json: bool,
    ) -> None:
        """Prove the evidence in FOLDER with nothing but the city's public keys; exit 0 only when all of it holds.

        It needs no database, no vault and no settings. Every finding names the file, the line, and the record, entry or
        leaf. Without --keys the keys that lie in the export itself are taken, which proves only that it is whole: who
        forged all of it forged them too. Then the exit code is 3 where it holds; --unsigned says that this is meant.
        Exit 1: it does not hold. Which checkpoints the --witnesses signed is said and changes no exit code; a
        cosignature that does not verify does.
        """
        if keys_file is None and not unsigned:
            click.secho(
                "WARNING: the keys are taken from the export itself, so it is not shown whose it is. Give the"
                " city's own with --keys, or say --unsigned.",
                err=True,
            )
        keys_text, witnesses = _read_keys(keys_file), _read_witnesses(witnesses_file)
        with _bar("verifying") as progress:
            limit = None if show_all else FINDINGS_SHOWN
            verdict = queries.verify(
                folder,
                keys_text=keys_text,
                permits=permits,
                witnesses=witnesses,
                jobs=jobs,
                limit=limit,
                progress=progress,
            )
        click.echo(json.dumps(_as_json(verdict)) if as_json else _as_text(verdict))
        sys.exit(_exit_code(verdict, unsigned=unsigned))

    return verify_command


def _read_keys(file: Path | None) -> str | None:
    try:
        return None if file is None else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KeysUnreadable(str(file), str(error)) from error


def _read_witnesses(file: Path | None) -> TrustPolicy | None:
    try:
        return None if file is None else TrustPolicy.parse(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, CryptoError) as error:
        raise WitnessesUnreadable(str(file), str(error)) from error


def _exit_code(verdict: queries.Verdict, *, unsigned: bool) -> int:
    if not verdict.holds:
        return 1
    return UNSIGNED if verdict.keys_from_export and not unsigned else 0


def _program() -> str:
    """Who writes, for the manifest."""
    try:
        return f"cardsvc {version('cardsvc')}"
    except PackageNotFoundError:  # run from a checkout that nobody installed
        return "cardsvc"


def _as_json(verdict: queries.Verdict) -> dict[str, object]:
    return {
        "holds": verdict.holds,
        "authentic": verdict.holds and not verdict.keys_from_export,
        "findings": [dataclasses.asdict(finding) for finding in verdict.findings],
        "more_findings": verdict.beyond,
        "not_judged": verdict.unread,
        "counts": dataclasses.asdict(verdict.counts),
        "witnessing": dataclasses.asdict(verdict.witnessing),
        "export": dict(verdict.facts),
        "keys": "taken from the export itself" if verdict.keys_from_export else "given",
        "jobs": verdict.jobs,
        "seconds": round(verdict.seconds, 3),
        "signatures_per_second": round(verdict.counts.signatures / verdict.seconds),
    }


def _as_text(verdict: queries.Verdict) -> str:
    counts = verdict.counts
    looked = (
        f"{counts.leaves:,} leaves, {counts.transactions:,} transactions, {counts.entries:,} entries,"
        f" {counts.signatures:,} signatures, {counts.accounts:,} accounts"
    )
    pace = f"{verdict.seconds:,.1f} s, {counts.signatures / verdict.seconds:,.0f} signatures a second"
    if verdict.holds:
        source = " under the keys that lie in it" if verdict.keys_from_export else ""
        at = f"at {verdict.facts.get('tree_size', '?')} leaves of the log {verdict.facts.get('log', '?')}"
        whose = ". Whose it is, is not shown" if verdict.keys_from_export else ""
        return f"The evidence holds{source}, {at}: {looked} ({pace}){whose}.\n{_witnessing_text(verdict)}"
    lines = [f"The evidence does not hold: {looked} ({pace})."]
    lines += [f"  {finding}" for finding in verdict.findings]
    if verdict.beyond:
        lines.append(f"  and {verdict.beyond:,} more; --all shows them")
    if verdict.unread:
        lines.append("Because some lines or files cannot be read, the tree and the balances were not judged.")
    return "\n".join(lines)


def _witnessing_text(verdict: queries.Verdict) -> str:
    """Who vouches that the log only grew, as far as the verifier was told whom to believe."""
    seen = verdict.witnessing
    unknown = f"{seen.others:,} cosignatures are by keys that were not given: they say nothing about who made them."
    if not seen.given:
        return f"No checkpoint is shown to be witnessed: name witnesses with --witnesses. {unknown}"
    newest = "none" if seen.newest_enough is None else f"the newest at {seen.newest_enough:,} leaves"
    lines = [
        f"{seen.witnessed:,} of {seen.checkpoints:,} checkpoints are witnessed, {seen.enough:,} by enough ({newest}):"
    ]
    lines += [f"  {one.name}: {one.checkpoints:,} checkpoints, newest at {one.newest:,} leaves" for one in seen.by]
    if seen.others:
        lines.append(unknown)
    return "\n".join(lines)


@contextmanager
def _bar(doing: str) -> Iterator[Callable[[int, int, int], None]]:
    """A bar with rate and remaining time, drawn only where somebody looks at a terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    rate = TextColumn("{task.fields[rate]}")
    if not sys.stderr.isatty():
        yield lambda _done, _all, _signatures: None
        return
    bar = Progress(*columns, rate, console=Console(stderr=True), transient=True, auto_refresh=False)
    task = bar.add_task(doing, total=None, rate="")

    def told(done: int, size: int, signatures: int) -> None:
        elapsed = bar.tasks[0].elapsed or 0
        rate = f"{signatures / elapsed:,.0f} signatures/s" if signatures and elapsed else ""
        bar.update(task, completed=done, total=size, rate=rate)
        bar.refresh()

    with bar:
        yield told
