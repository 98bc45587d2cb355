"""The witness: verifies, stores, and only then answers."""

import fcntl
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from cardsvc.vault import write_durably
from cardsvc.witness.rules import WitnessStateBroken, cosigned, origin_hash, read_held
from crypto import tlog
from crypto.tlog import witnessing

_LOCK = "lock"


class Witness:
    """One key, some logs, one folder: a file for each log, which is the last checkpoint with the cosignature.

    If we stop before the file is renamed, the last one stands and nothing was answered; after it and before the answer
    the log asks again from the size that it is told. One process at a time has the folder.
    """

    def __init__(self, folder: Path, signer: tlog.CosignatureSigner, logs: Sequence[tlog.NoteVerifier]) -> None:
        """Raises: WitnessStateBroken for a folder that is in use, or a file that is not ours any more."""
        self._folder = folder
        self._signer = signer
        self._logs: dict[str, list[tlog.NoteVerifier]] = {}
        for verifier in logs:
            self._logs.setdefault(verifier.name, []).append(verifier)
        self._places = {origin_hash(origin): origin for origin in self._logs}
        self._one_at_a_time = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise WitnessStateBroken(str(folder), "another witness is at work in it") from error
        self._notes = self._load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder; again changes nothing."""
        with suppress(OSError):
            os.close(self._lock)

    @property
    def verifier(self) -> tlog.CosignatureVerifier:
        return self._signer.verifier

    @property
    def held(self) -> Mapping[str, tlog.Held | None]:
        """What was signed last, by origin."""
        return {origin: self._held(place) for place, origin in self._places.items()}

    def add_checkpoint(self, body: bytes, at_seconds: int) -> str:
        """The cosignature line for the request's checkpoint, which is stored before this returns.

        Raises: MalformedMessage (400), UnknownLog (404), InvalidSignature (403), OtherSize (409), InvalidProof (422),
        OSError when it cannot be stored (500).
        """
        request = tlog.AddCheckpoint.decode(body)
        origin = request.checkpoint().origin
        place = origin_hash(origin)
        with self._one_at_a_time:  # between looking at what is held and storing nobody else may do either
            witnessing.check(request, self._logs, self._held(place))
            text = tlog.split_note(request.note)[0]
            line = tlog.cosign(text, self._signer, at_seconds)
            note = cosigned(request.note, self._logs[origin], line)
            write_durably(self._folder / place, note.encode())
            self._notes[place] = note
        return line

    def checkpoint(self, place: str) -> str | None:
        """The last checkpoint of the log with this origin hash, log's and witness's signatures on it."""
        return self._notes.get(place)

    def _held(self, place: str) -> tlog.Held | None:
        note = self._notes.get(place)
        return None if note is None else read_held(place, note, self._logs, self.verifier)

    def _load(self) -> dict[str, str]:
        notes: dict[str, str] = {}
        for place in self._places:
            file = self._folder / place
            if file.exists():
                try:
                    notes[place] = file.read_bytes().decode()
                except (OSError, UnicodeDecodeError) as error:
                    raise WitnessStateBroken(place, str(error)) from error
                read_held(place, notes[place], self._logs, self.verifier)
        return notes
