"""`./city residents judge-dedupe`: our comparison against files in which the truth is written."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from cardsvc.residents.rules import TrueEntry, facts_from, judge
from cardsvc.settings import DedupeSettings

THRESHOLDS = range(80, 321, 20)


@click.command("judge-dedupe")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--same-from", type=int, default=DedupeSettings().same_from, show_default=True)
@click.option("--look-from", type=int, default=DedupeSettings().look_from, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def judge_dedupe(files: Sequence[Path], same_from: int, look_from: int, as_json: bool) -> None:
    """Precision and recall of deduplication on files of the FEBRL kind, taken together as one register.

    Columns: rec_id (rec-N-org, rec-N-dup-K: N is the person), given_name, surname, street_number, address_1, address_2,
    suburb, postcode, date_of_birth. The identity number soc_sec_id is not looked at: our register has none.
    """
    entries = [entry for file in files for entry in read_febrl(file)]
    found = judge(entries, DedupeSettings(same_from, look_from), THRESHOLDS)
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo(f"{found.entries} entries, {found.true_pairs} true pairs; {found.compared} pairs compared, among them")
    click.echo(f"{found.reached} true ones ({found.reached / max(found.true_pairs, 1):.2%}: no recall can be higher).")
    click.echo("score from   precision   recall   false pairs   missed")
    for line in found.lines:
        shares = f"{line.name:>10}   {line.precision:>9.4f}   {line.recall:>6.4f}"
        click.echo(f"{shares}   {line.false_pairs:>11}   {line.missed:>6}")


def read_febrl(file: Path) -> Iterator[TrueEntry]:
    """The entries of a FEBRL file, each with the number of its person."""
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, skipinitialspace=True):
            house = (row["street_number"], row["address_1"], row["address_2"], row["suburb"])
            facts = facts_from(
                family_name=row["surname"],
                given_name=row["given_name"],
                birth_date=row["date_of_birth"],
                place=row["postcode"],
                address=" ".join(part for part in house if part),
            )
            yield TrueEntry(row["rec_id"].split("-")[1], facts)
