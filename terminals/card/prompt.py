"""Asking for a PIN without ever making a `str` of it: strings cannot be wiped, and Python copies them as it likes."""

import os
import sys
import termios
from typing import Final

_TERMINAL: Final = "/dev/tty"
_LENGTH_MAX: Final = 64
_ENDS: Final = frozenset(b"\r\n\x04")  # the line's end, or the end of input
_ERASE: Final = frozenset(b"\x7f\b")


def ask_secret(question: str) -> bytearray:
    """One line from the person at the terminal, unseen; from standard input where that is no terminal.

    Whoever uses it wipes it.
    """
    if sys.stdin.isatty():
        return _from_terminal(question)
    return read_lines(1)[0]


def read_lines(count: int) -> list[bytearray]:
    """The first lines of standard input, blanks around them cut off; empty ones where it ends before."""
    content = bytearray(_LENGTH_MAX)
    length = sys.stdin.buffer.readinto(content)  # type: ignore[union-attr] # what stands behind text has it
    lines = [bytearray(line.strip()) for line in content[:length].split(b"\n")]
    content[:] = bytes(_LENGTH_MAX)
    return (lines + [bytearray() for _ in range(count)])[:count]


def _from_terminal(question: str) -> bytearray:
    descriptor = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
    try:
        before = termios.tcgetattr(descriptor)
        unseen = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON), *before[4:]]
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, unseen)
        try:
            os.write(descriptor, f"{question}: ".encode())
            return _typed(descriptor)
        finally:
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
            os.write(descriptor, b"\n")
    finally:
        os.close(descriptor)


def _typed(descriptor: int) -> bytearray:
    line, key = bytearray(), bytearray(1)
    while os.readv(descriptor, [key]) == 1 and key[0] not in _ENDS:
        if key[0] in _ERASE:
            line[-1:] = b""
        elif len(line) < _LENGTH_MAX:
            line += key
    key[0] = 0
    return line
