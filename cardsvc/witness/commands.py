"""Run a witness, and make its key. Nothing of a city is needed here: no database, no vault, no settings."""

import json
import signal
import threading
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cardsvc.clock import Clock
from cardsvc.errors import CityError
from cardsvc.witness.actions import Witness, make_server
from cardsvc.witness.rules import WitnessKey
from crypto.errors import CryptoError
from crypto.tlog import NoteVerifier
from crypto.wire.citykeys import CityKeys

PRIVATE = 0o600


class Unusable(CityError):
    code = "witness_unusable"


@click.command("witness-key")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Who it is, like barangay7.example/w1.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def witness_key(file: Path, name: str, as_json: bool) -> None:
    """Make a witness's key in FILE, and print the public half, which the log's operator needs."""
    try:
        key = WitnessKey(name, Ed25519PrivateKey.generate().private_bytes_raw())
        text, public = key.format(), key.signer().verifier.format()
        file.touch(mode=PRIVATE, exist_ok=False)
        file.write_text(text)
    except (CryptoError, OSError) as error:
        raise Unusable(f"The key was not made: {error}") from error
    click.echo(json.dumps({"name": name, "vkey": public}) if as_json else public)


def make(clock: Clock) -> click.Command:
    """The command that runs a witness by this clock."""

    @click.command("witness")
    @click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), help="The file of witness-key.")
    @click.option("--state", required=True, type=click.Path(path_type=Path), help="The folder of what was signed last.")
    @click.option("--listen", required=True, help="HOST:PORT; port 0 takes a free one.")
    @click.option("--log", "logs", multiple=True, help="A log's verifier key; repeat for several.")
    @click.option(
        "--city-key", "key_files", multiple=True, type=click.Path(path_type=Path), help="Or a city's key file."
    )
    def witness(key_file: Path, state: Path, listen: str, logs: tuple[str, ...], key_files: tuple[Path, ...]) -> None:
        """Sign checkpoints of logs that only grew (C2SP tlog-witness), until told to stop.

        Keep the folder of --state for as long as the key is used: it is what makes a rolled-back log fail.
        """
        host, _, port = listen.rpartition(":")
        if not host or not port.isascii() or not port.isdecimal():
            raise Unusable("--listen is HOST:PORT, like 127.0.0.1:8095.")
        try:
            key = WitnessKey.parse(key_file.read_text())
            verifiers = [NoteVerifier.parse(text) for text in logs]
            verifiers += [verifier for file in key_files for verifier in CityKeys.parse(file.read_text()).logs]
        except (CryptoError, OSError, UnicodeDecodeError) as error:
            raise Unusable(f"The witness cannot start: {error}") from error
        if not verifiers:
            raise Unusable("Name at least one log: --log with its verifier key, or --city-key with a city's key file.")
        with Witness(state, key.signer(), verifiers) as running:
            try:
                server = make_server(running, host, int(port), clock=clock, say=lambda text: click.echo(text, err=True))
            except (OSError, OverflowError) as error:
                raise Unusable(f"The witness cannot listen at {listen}: {error}") from error
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
            click.echo(f"{running.verifier.format()} at http://{host}:{server.server_port}", err=True)
            with server:
                server.serve_forever()

    return witness
