"""A witness over HTTP, as a log meets it: it signs what grew, remembers before it answers, and goes back for nobody."""

import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from cardsvc.clock import FixedClock
from cardsvc.witness import Witness, WitnessKey, WitnessKeyUnreadable, WitnessStateBroken
from cardsvc.witness.actions import make_server
from cardsvc.witness.commands import make, witness_key
from cardsvc.witness.rules import origin_hash
from crypto import tlog
from crypto.keys import Ed25519Signer
from crypto.tlog import AddCheckpoint, Checkpoint, NoteSigner

LOG = NoteSigner("city.example/log", Ed25519Signer.from_secret(1))
OTHER_LOG = NoteSigner("province.example/log", Ed25519Signer.from_secret(3))
KEY = WitnessKey("witness.example/w1", bytes(31) + b"\x02")
LEAVES = [tlog.leaf_hash(b"leaf %d" % number) for number in range(64)]
FORK = [tlog.leaf_hash(b"other %d" % number) for number in range(64)]


def tree(size: int, leaves: list[bytes]) -> tlog.Tree:
    return tlog.Tree(lambda _level, index: leaves[index], size)


def request(old: int, new: int, *, leaves: list[bytes] = LEAVES, log: NoteSigner = LOG) -> bytes:
    grown = tree(new, leaves)
    note = tlog.sign_checkpoint(Checkpoint(log.name, new, grown.root()), [log])
    return AddCheckpoint(old, grown.consistency_proof(old) if old else (), note).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who talks to the witness at this address."""

    address: str

    def post(self, body: bytes, path: str = "/add-checkpoint", **headers: str) -> Answer:
        return self._ask(urllib.request.Request(self.address + path, data=body, headers=headers, method="POST"))

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self.address + path))

    def _ask(self, asked: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return Answer(answer.status, answer.headers["Content-Type"], answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers["Content-Type"], error.read().decode())


@contextmanager
def running(folder: Path, clock: FixedClock, *logs: NoteSigner) -> Iterator[Caller]:
    said: list[str] = []
    with Witness(folder, KEY.signer(), [log.verifier for log in logs or (LOG,)]) as witness:
        server = make_server(witness, "127.0.0.1", 0, clock=clock, say=said.append)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Caller(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def caller(tmp_path: Path, clock: FixedClock) -> Iterator[Caller]:
    with running(tmp_path, clock) as found:
        yield found


def test_a_log_that_grows_gets_cosignatures_which_anybody_verifies(caller: Caller, clock: FixedClock) -> None:
    for old, new in ((0, 5), (5, 5), (5, 33), (33, 64)):
        body = request(old, new)
        answer = caller.post(body)
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
        note = AddCheckpoint.decode(body).note
        (found,) = tlog.cosignatures(note + answer.text, [KEY.signer().verifier])
        assert found.at_seconds == int(clock.now().timestamp())
    shown = caller.get(f"/{origin_hash(LOG.name)}/checkpoint")
    assert shown == Answer(200, "text/plain; charset=utf-8", note + answer.text)


def test_every_refusal_has_the_status_of_the_specification(caller: Caller) -> None:
    assert caller.post(request(0, 20)).status == 200
    conflict = caller.post(request(19, 30))
    assert conflict == Answer(409, "text/x.tlog.size", "20\n")
    stranger = NoteSigner(LOG.name, Ed25519Signer.from_secret(9))
    wanted = {
        400: b"new 0\n\n",
        403: request(20, 30, log=stranger),
        404: request(0, 5, log=OTHER_LOG),
        409: request(0, 30),
        422: request(20, 30, leaves=FORK),
    }
    assert {status: caller.post(body).status for status, body in wanted.items()} == {code: code for code in wanted}
    assert caller.post(request(20, 20, leaves=FORK)).status == 422  # another tree of the same size
    assert caller.post(request(20, 21)).status == 200  # and nothing of that changed what is held


def test_what_is_no_request_is_refused_whole(caller: Caller) -> None:
    assert caller.post(request(0, 5), path="/").status == 404
    assert caller.post(b"x" * 140_000).status == 413
    assert caller.get("/add-checkpoint").status == 404
    assert caller.get(f"/{origin_hash(LOG.name)}/checkpoint").status == 404  # nothing was signed yet
    chunked = urllib.request.Request(
        caller.address + "/add-checkpoint",
        data=iter([request(0, 5)]),
        method="POST",  # no length is known
    )
    with pytest.raises(urllib.error.HTTPError, match="411"):
        urllib.request.urlopen(chunked, timeout=10)


def test_what_it_signed_is_remembered_by_the_next_process(tmp_path: Path, clock: FixedClock) -> None:
    with running(tmp_path, clock) as caller:
        assert caller.post(request(0, 40)).status == 200
    with running(tmp_path, clock) as caller:
        assert caller.post(request(0, 50, leaves=FORK)).text == "40\n"
        assert caller.post(request(40, 50)).status == 200


def test_of_many_at_once_one_history_is_signed(caller: Caller) -> None:
    """Two histories race from nothing; whoever is first, no signature of the other one ever comes out."""
    bodies = [request(0, size, leaves=leaves) for size in range(1, 30) for leaves in (LEAVES, FORK)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(caller.post, bodies))
    assert sorted({answer.status for answer in answers}) == [200, 409]
    assert sum(answer.status == 200 for answer in answers) == 1


def test_what_cannot_be_stored_is_not_signed(tmp_path: Path, clock: FixedClock) -> None:
    folder = tmp_path / "state"
    with running(folder, clock) as caller:
        assert caller.post(request(0, 5)).status == 200
        shutil.move(folder, tmp_path / "away")
        refused = caller.post(request(5, 9))
        assert refused.status == 500
        assert KEY.name not in refused.text
        shutil.move(tmp_path / "away", folder)
        assert caller.post(request(5, 9)).status == 200


@pytest.mark.parametrize("change", ["cut", "empty", "flip", "stranger"])
def test_a_state_that_is_not_its_own_stops_the_start(tmp_path: Path, clock: FixedClock, change: str) -> None:
    with running(tmp_path, clock) as caller:
        caller.post(request(0, 5))
    file = tmp_path / origin_hash(LOG.name)
    note = file.read_text()
    changed = {
        "cut": note[:-20],
        "empty": "",
        "flip": note.replace("\n5\n", "\n4\n"),
        "stranger": AddCheckpoint.decode(request(0, 5)).note,  # the log's signature alone
    }
    file.write_text(changed[change])
    with pytest.raises(WitnessStateBroken, match="newest copy"):
        Witness(tmp_path, KEY.signer(), [LOG.verifier])


def test_one_process_at_a_time_has_the_folder(tmp_path: Path) -> None:
    with (
        Witness(tmp_path, KEY.signer(), [LOG.verifier]),
        pytest.raises(WitnessStateBroken, match="another witness"),
    ):
        Witness(tmp_path, KEY.signer(), [LOG.verifier])
    Witness(tmp_path, KEY.signer(), [LOG.verifier]).close()


def test_many_logs_are_watched_apart(tmp_path: Path, clock: FixedClock) -> None:
    with running(tmp_path, clock, LOG, OTHER_LOG) as caller:
        assert caller.post(request(0, 9)).status == 200
        assert caller.post(request(0, 3, log=OTHER_LOG, leaves=FORK)).status == 200
        assert caller.post(request(9, 12)).status == 200


def test_a_key_file_is_read_as_it_was_written_and_in_no_other_form(tmp_path: Path) -> None:
    assert WitnessKey.parse(KEY.format()) == KEY
    for text in ("", "PRIVATE+KEY+", KEY.format().rstrip("\n"), KEY.format().replace("w1", "w2"), KEY.format()[3:]):
        with pytest.raises(WitnessKeyUnreadable):
            WitnessKey.parse(text)
    file = tmp_path / "witness.key"
    made = CliRunner().invoke(witness_key, [str(file), "--name", "barangay7.example/w1"])
    assert made.exit_code == 0
    assert WitnessKey.parse(file.read_text()).signer().verifier.format() == made.output.strip()
    assert file.stat().st_mode & 0o777 == 0o600
    again = CliRunner().invoke(witness_key, [str(file), "--name", "barangay7.example/w1"])
    assert again.exit_code != 0  # a key is never overwritten


def test_the_command_says_what_is_missing(tmp_path: Path, clock: FixedClock) -> None:
    key = tmp_path / "witness.key"
    key.write_text(KEY.format())
    base = ["--key", str(key), "--state", str(tmp_path / "state")]
    for more, said in (
        (["--listen", "8095", "--log", LOG.verifier.format()], "HOST:PORT"),
        (["--listen", "127.0.0.1:0"], "at least one log"),
        (["--listen", "127.0.0.1:0", "--log", "nonsense"], "cannot start"),
    ):
        result = CliRunner().invoke(make(clock), [*base, *more])
        assert said in str(result.exception)
