"""Limits that need nothing of ours: how fast this machine, its database and its cryptography are at all."""

import re
import subprocess

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.frame import rate
from bench.postgres import Server

VERIFY = "raw single-core P-256 verify"
COMMITS = "pgbench commits"

_MESSAGE = bytes(range(104))  # as long as what a card signs for a tap


def raw_verify(count: int) -> float:
    """Signatures a second that `cryptography` verifies on one core, the key's object kept, SHA-256 included."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    algorithm = ec.ECDSA(hashes.SHA256())
    signature = private.sign(_MESSAGE, algorithm)

    def work() -> int:
        for _ in range(count):
            public.verify(signature, _MESSAGE, algorithm)
        return count

    return rate(work)


def pgbench_init(server: Server, database: str = "pgbench") -> None:
    """Make the database that `pgbench_commits` works in."""
    server.create(database)
    _pgbench(server, database, "-i", "-q", "-s", "5")


def pgbench_commits(server: Server, database: str = "pgbench", *, clients: int = 1, duration_seconds: int = 2) -> float:
    """Durable commits a second of pgbench's own small transaction (`-N`: no hot rows)."""
    told = _pgbench(server, database, "-N", "-c", str(clients), "-j", "2", "-T", str(duration_seconds))
    found = re.search(r"^tps = ([0-9.]+)", told, re.MULTILINE)
    assert found, told
    return float(found[1])


def _pgbench(server: Server, database: str, *arguments: str) -> str:
    program = str(server.programs / "pgbench")
    connection = ("-h", str(server.socket_dir), "-U", "cardsvc", database)
    return subprocess.run([program, *arguments, *connection], check=True, capture_output=True, text=True).stdout
