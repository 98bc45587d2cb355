"""A log whose heads are kept, lost, restored and given up: what several tests of it need."""

import shutil
from dataclasses import dataclass, field
from uuid import UUID

from click.testing import CliRunner, Result
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import audit, db, web
from cardsvc.audit.commands import make_log
from tests.builders import PASSWORD, make_staff
from tests.postgres import Server


@dataclass
class Backups:
    """Whole copies of a database, taken and put back as an operator would: nobody is connected meanwhile."""

    engine: Engine
    server: Server | None
    taken: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        assert self.engine.url.database is not None
        return self.engine.url.database

    def take(self) -> str:
        self.engine.dispose()
        copy = f"{self.name}_backup{len(self.taken)}"
        self.taken.append(copy)
        if self.server:
            self.server.create(copy, template=self.name)
        else:
            shutil.copyfile(self.name, copy)
        return copy

    def put_back(self, copy: str) -> None:
        self.engine.dispose()
        if self.server:
            self.server.drop(self.name)
            self.server.create(self.name, template=copy)
        else:
            shutil.copyfile(copy, self.name)


def grow(city: web.City, size: int, *, other: int = 0) -> None:
    """Leaves up to `size`; `other` makes them other ones."""

    def work(session: Session) -> None:
        first = audit.next_index(session)
        new = range(first, size)
        leaves = [
            audit.Leaf(UUID(int=(other << 64) + n + 1), bytes([other]) * 32, "accepted", None, None, bytes(32))
            for n in new
        ]
        assert audit.append(session, leaves) == new

    db.run(city.engine, work)


def publish(city: web.City) -> audit.Checkpoint:
    kept = city.settings.log_head
    return db.run(city.engine, lambda session: audit.publish(session, city.vault, city.clock.now(), kept))


def published(city: web.City, size: int, *, other: int = 0) -> audit.Checkpoint:
    grow(city, size, other=other)
    return publish(city)


def check(city: web.City) -> None:
    db.run(city.engine, lambda s: audit.check_kept(s, city.vault, city.settings.log_head), read_only=True)


def two_people(city: web.City) -> None:
    def work(session: Session) -> None:
        for name, role in (("ana", "admin"), ("ben", "auditor"), ("cid", "clerk")):
            make_staff(session, city.clock.now(), role, username=name)

    db.run(city.engine, work)


def recover(city: web.City, *more: str, by: tuple[str, str] = ("ana", "ben"), passwords: str = PASSWORD) -> Result:
    arguments = ["recover", "--by", by[0], "--second", by[1], "--reason", "The disk burned.", "--json", *more]
    typed = f"{PASSWORD}\n{passwords}\n"
    return CliRunner().invoke(make_log(), arguments, obj=lambda: city, input=typed)
