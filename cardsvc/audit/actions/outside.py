"""What stands outside the database: the kept head, and the witnesses that the city asks."""

from dataclasses import dataclass
from pathlib import Path

from cardsvc.audit.rules import WitnessesUnreadable
from cardsvc.settings import Settings
from crypto.errors import CryptoError
from crypto.tlog import TrustPolicy


@dataclass(frozen=True, slots=True)
class Outside:
    """`kept` is the file of the last head; `witnesses` is None where the city has configured none."""

    kept: Path
    witnesses: TrustPolicy | None


def outside(settings: Settings) -> Outside:
    """As the settings say. Raises: WitnessesUnreadable."""
    file = settings.witnesses
    if file is None:
        return Outside(settings.log_head, None)
    try:
        return Outside(settings.log_head, TrustPolicy.parse(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, CryptoError) as error:
        raise WitnessesUnreadable(str(file), str(error)) from error
