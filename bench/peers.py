"""Peers that disagree with our dependencies live in environments of their own, which `tests.judges` makes; they are
called as processes. Where one is absent its figure says so.
"""

from pathlib import Path

_FOLDER = Path(__file__).parent.parent / ".judges"


def peer_python(name: str) -> str | None:
    """The interpreter of a peer's environment; None: it was not made (`python -m tests.judges NAME` does)."""
    python = _FOLDER / name / "bin" / "python"
    # the marker is written last, so half an environment is none
    return str(python) if (_FOLDER / name / "pinned").exists() and python.exists() else None


def how_to_get(name: str) -> str:
    return f"{name} is not installed (python -m tests.judges {name})"
