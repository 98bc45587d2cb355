"""A virtual reader whose faults can be switched on: unplugged, or with something in it that answers to no power."""

import shutil
import subprocess
from pathlib import Path

from terminals.card.pcscd import VPCD_DRIVER
from tests.judging import require

_SOURCE = Path(__file__).with_name("drivers") / "faulty_reader.c"
_UNPLUGGED, _UNRESPONSIVE, _WELL = "g", "c", "-"


class FaultyReader:
    """`driver` is what a private daemon loads. Built in `folder`, with the compiler that pyscard needs too."""

    def __init__(self, folder: Path) -> None:
        self._switch = folder / "switch"
        self.driver = folder / "libfaulty.so"
        real = folder / VPCD_DRIVER.name
        shutil.copy(VPCD_DRIVER, real)  # the daemon sees no driver folder
        paths = [f'-DSWITCH="{self._switch}"', f'-DREAL="{real}"']
        compiler = [require("gcc", "gcc"), "-shared", "-fPIC", "-I/usr/include/PCSC", *paths]
        subprocess.run([*compiler, "-o", self.driver, _SOURCE], check=True)

    def unplug(self) -> None:
        """The daemon takes the reader away when it is told to look (SIGUSR1)."""
        self._switch.write_text(_UNPLUGGED)

    def confuse(self) -> None:
        """What is in the reader does not answer to power."""
        self._switch.write_text(_UNRESPONSIVE)

    def mend(self) -> None:
        self._switch.write_text(_WELL)
