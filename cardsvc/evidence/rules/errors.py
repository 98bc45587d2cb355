"""What stops an export, or a verification before it begins."""

from pathlib import Path
from typing import ClassVar

from cardsvc.errors import CityError, ErrorKind


class FolderNotEmpty(CityError):
    code: ClassVar[str] = "folder_not_empty"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self, folder: Path) -> None:
        super().__init__(f"There is something in {folder} already. Name an empty folder, or one that is not there yet.")


class FolderUnusable(CityError):
    code: ClassVar[str] = "folder_unusable"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"The folder {folder} cannot be used: {why}.")


class NothingSealed(CityError):
    code: ClassVar[str] = "nothing_sealed"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The log has no signed head yet. Publish one: ./city audit checkpoint.")


class NoExport(CityError):
    """There is no manifest: the export was interrupted, a file was removed, or the folder is another."""

    code: ClassVar[str] = "no_export"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} holds no whole export: it has no manifest. An interrupted export has none; make it again."
        )


class KeysUnreadable(CityError):
    code: ClassVar[str] = "keys_unreadable"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"The city's public keys in {place} cannot be used: {why}")


class WitnessesUnreadable(CityError):
    code: ClassVar[str] = "witnesses_unreadable"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"The witnesses in {place} cannot be used: {why}")
