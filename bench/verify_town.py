"""Exports to verify: a city whose gates took so many taps, its evidence written out."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.city import BenchCity, bench_city
from cardsvc import app, audit, db, evidence, transactions

PEOPLE = 200
BATCH = 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """An export, and the city's public keys to verify it with."""

    folder: Path
    keys_text: str
    taps: int

    def verify(self, jobs: int) -> evidence.Verdict:
        verdict = evidence.verify(self.folder, keys_text=self.keys_text, permits=app.permits(), jobs=jobs)
        assert verdict.holds, verdict.findings
        return verdict


@contextmanager
def exports(*sizes: int) -> Iterator[list[Evidence]]:
    """Exports of one growing city at about these many taps, ascending; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-evidence-") as place:
        with bench_city(f"sqlite:///{place}/city.db", people=PEOPLE) as city:
            made: list[Evidence] = []
            taps = 0
            for size in sizes:
                while taps < size:
                    _take(city)
                    taps += BATCH
                made.append(_export(city, Path(place) / str(size), taps))
        yield made


def _take(city: BenchCity) -> None:
    """A gate comes back from a day without a network and sends what it took."""
    raw = city.batch(city.validator(), BATCH)
    now = city.city.clock.now()
    db.run(city.city.engine, lambda session: transactions.accept(session, raw, desk=city.desk, now=now))


def _export(city: BenchCity, folder: Path, taps: int) -> Evidence:
    whole, now = city.city, city.city.clock.now()
    db.run(whole.engine, lambda session: audit.publish(session, whole.vault, now))
    with db.unit_of_work(whole.engine, read_only=True) as session:
        evidence.export(session, whole.vault, folder, program="bench", now=now, progress=lambda _done, _all: None)
    return Evidence(folder, whole.vault.city_keys().format(), taps)
