"""The commands of transit with what nobody should give them: a sentence, an exit code, and nothing stored."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cardsvc.errors import CityError
from cardsvc.transit import commands
from cardsvc.transit.settling.commands import settlement
from tests.town import FEED, Town

TABLES = ("tariff", "feed_file", "transit_network", "transit_stop", "flat_fare", "rider_right")
Files = dict[str, bytes]
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


@pytest.fixture
def feed() -> Files:
    return {path.name: path.read_bytes() for path in FEED.glob("*.txt")}


@pytest.fixture
def refused(town: Town) -> Iterator[Callable[..., str]]:
    """What the command says that does not do it."""
    before = [town.count(table) for table in TABLES]

    def run(command: click.Command, *arguments: object) -> str:
        found: Result = CliRunner().invoke(command, [str(one) for one in arguments], obj=lambda: town.city)
        assert found.exit_code != 0, found.output
        assert isinstance(found.exception, CityError | SystemExit), found.exception  # the root shows a CityError
        if isinstance(found.exception, CityError):
            return f"{found.exception} {found.exception.fields}"
        return found.output

    yield run
    assert [town.count(table) for table in TABLES] == before


def written(folder: Path, files: Files) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def with_field(content: bytes, column: str, value: str) -> bytes:
    """The table with another value in the first row's column."""
    heading, first, *rest = content.decode("utf-8-sig").splitlines()
    fields = first.split(",")
    fields[heading.split(",").index(column)] = value
    return "\n".join((heading, ",".join(fields), *rest)).encode()


@pytest.mark.parametrize(
    ("file", "column", "value", "said"),
    [
        ("feed_info.txt", "feed_start_date", "NaN", "not a date like 20270302"),
        ("feed_info.txt", "feed_start_date", "20260230", "not a date like 20270302"),
        ("calendar.txt", "start_date", "00000101", "not a date like 20270302"),
        ("calendar.txt", "end_date", "20260230", "not a date like 20270302"),
        ("x_incomplete.txt", "longest_ride", "9" * 11, "is not a number of seconds, 2678400 or fewer"),
        ("x_incomplete.txt", "complete_within", "9" * 20, "is not a number of seconds, 2678400 or fewer"),
        ("x_settings.txt", "journey_gap", "9" * 5000, "is not a number of seconds, 2678400 or fewer"),
        ("x_settings.txt", "duplicate_window", "2678401", "is not a number of seconds, 2678400 or fewer"),
        ("x_passes.txt", "days", "99999999", "is not a number of at least 1 and at most 100000"),
        ("x_passes.txt", "rides", "9" * 20, "is not a number of at least 1 and at most 100000"),
        ("stops.txt", "stop_name", "Aya\0la", "a character is NUL"),
        ("networks.txt", "network_name", "bu\0ses", "a character is NUL"),
    ],
)
def test_a_feed_with_one_wrong_field_is_not_taken(
    feed: Files, refused: Callable[..., str], tmp_path: Path, file: str, column: str, value: str, said: str
) -> None:
    wrong = written(tmp_path / "feed", feed | {file: with_field(feed[file], column, value)})
    told = refused(commands.transit, "import", wrong)
    assert said in told
    assert file in told


def test_a_feed_that_cannot_be_read_is_not_taken(feed: Files, refused: Callable[..., str], tmp_path: Path) -> None:
    folder = written(tmp_path / "folder", feed)
    (folder / "zones.txt").mkdir()
    assert "zones.txt cannot be read: Is a directory" in refused(commands.transit, "import", folder)
    linked = written(tmp_path / "linked", feed)
    (linked / "zones.txt").symlink_to(tmp_path / "nowhere")
    assert "zones.txt cannot be read" in refused(commands.transit, "import", linked)
    assert "places of the feed are wrong" in refused(commands.transit, "import", written(tmp_path / "empty", {}))
    assert "does not exist" in refused(commands.transit, "import", tmp_path / "none")


def test_a_zip_file_that_cannot_be_unpacked_is_not_taken(
    feed: Files, refused: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in feed.items():
            archive.writestr(name, content)
    whole = path.read_bytes()

    def told(damaged: bytes) -> str:
        path.write_bytes(damaged)
        return refused(commands.transit, "import", path)

    assert "neither a folder nor a zip file" in told(b"")
    assert "neither a folder nor a zip file" in told(whole[: len(whole) // 2])
    assert "is encrypted" in told(marked(marked(whole, LOCAL, 6, b"\x01"), CENTRAL, 8, b"\x01"))
    assert "not supported" in told(marked(marked(whole, LOCAL, 8, b"\x63"), CENTRAL, 10, b"\x63"))
    assert "is too large" in told(marked(whole, CENTRAL, 24, b"\xff\xff\xff\x7f"))


def marked(whole: bytes, header: bytes, place: int, value: bytes) -> bytes:
    """The zip file with these bytes at this place of each such header."""
    found, at = bytearray(whole), whole.find(header)
    while at >= 0:
        found[at + place : at + place + len(value)] = value
        at = whole.find(header, at + 4)
    return bytes(found)


def test_what_is_not_there_is_not_written(town: Town, refused: Callable[..., str], tmp_path: Path) -> None:
    asked = ("--agency", "loop", "--day", town.today())
    assert "no such tariff" in refused(commands.transit, "export", tmp_path / "out").lower()
    assert "is not in the range" in refused(commands.transit, "export", tmp_path / "out", "--version", 10**30)
    assert "Known: none: import a feed first" in refused(settlement, *asked)


def test_what_cannot_be_written_for_want_of_a_folder_is_said(town: Town, tmp_path: Path) -> None:
    town.tariff()
    file = tmp_path / "file"
    file.write_text("not a folder")
    asked = ["--agency", "loop", "--day", str(town.today())]
    for command, arguments in (
        (commands.transit, ["export", str(file / "out")]),
        (settlement, [*asked, "--csv", str(tmp_path / "none" / "table.csv")]),
        (settlement, [*asked, "--tides", str(file / "table.json")]),
    ):
        found = CliRunner().invoke(command, arguments, obj=lambda: town.city)
        assert (found.exit_code, "Could not open file" in found.output) == (1, True), found.output


@pytest.mark.parametrize("text", ["", "[]", "null", '{"cases": 5}', '{"groups": [null]}', "NaN", "[" * 100_000])
def test_cases_that_are_none_are_refused(refused: Callable[..., str], tmp_path: Path, text: str) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(text)
    assert refused(commands.transit, "check-cases", cases)


@pytest.mark.parametrize("begins", ["9999-12-31T23:59", "0001-01-01T00:00+14:00", "soon", "2026-02-30T00:00"])
def test_a_tariff_comes_into_force_at_a_time_that_there_is(refused: Callable[..., str], begins: str) -> None:
    told = refused(commands.transit, "import", FEED, "--valid-from", begins)
    assert json.dumps(begins)[1:-1] in told
