"""A hardware module in software: SoftHSM2 with its tokens in a folder of the tests' own.

Use in a conftest: `from tests.hsm_fixtures import hsm, softhsm`.
"""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pkcs11
import pytest

from cardsvc.vault.modulestore import Module
from tests.judging import require, require_file

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "a PIN of the tests"
SECURITY_OFFICER_PIN = "another PIN of the tests"


@dataclass(frozen=True, slots=True)
class SoftHsm:
    """The module of this run. `environment` is what a foreign process needs to see the same tokens."""

    folder: Path
    environment: dict[str, str]

    def new_token(self) -> Module:
        """An empty token with a name of its own."""
        name = f"city-{secrets.token_hex(4)}"
        self.tool("--init-token", "--free", "--label", name, "--so-pin", SECURITY_OFFICER_PIN, "--pin", PIN)
        self.lose_sessions()  # the library looks for tokens once, when it is initialised
        return Module(LIBRARY, name, PIN)

    def tool(self, *arguments: str) -> None:
        command = [require("softhsm2-util", "softhsm2"), *arguments]
        subprocess.run(command, check=True, capture_output=True, env=self.environment)

    def lose_sessions(self) -> None:
        """What a module does that was restarted: all that this process had open there is gone."""
        library = pkcs11.lib(str(LIBRARY))
        with suppress(pkcs11.PKCS11Error):
            library.finalize()
        library.initialize()


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """One library for the run: it reads where its tokens are when it is initialised."""
    require("softhsm2-util", "softhsm2")
    require_file(LIBRARY, "softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        yield SoftHsm(folder, {**os.environ})


@pytest.fixture
def hsm(softhsm: SoftHsm) -> Module:
    """An empty token for this test alone."""
    return softhsm.new_token()
