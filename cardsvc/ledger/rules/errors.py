"""What the ledger raises. What can be wrong with one draft of a batch is a value instead: `Refused`."""

from uuid import UUID

from cardsvc.errors import CityError, ErrorKind


class InvalidAccount(CityError):
    code = "invalid_account"
    kind = ErrorKind.INVALID

    def __init__(self, account: str, problem: str) -> None:
        super().__init__(f"Account {account!r} cannot be opened: {problem}.")


class AccountDiffers(CityError):
    code = "account_differs"
    kind = ErrorKind.CONFLICT

    def __init__(self, account: str) -> None:
        super().__init__(f"Account {account} is open with other properties: open the new one under another code.")


class UnknownAccount(CityError):
    code = "unknown_account"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, account: str) -> None:
        super().__init__(f"There is no account {account}: check the code, or open it first.")


class AccountNotEmpty(CityError):
    code = "account_not_empty"
    kind = ErrorKind.CONFLICT

    def __init__(self, account: str, balance_cents: int) -> None:
        super().__init__(f"Account {account} still holds {balance_cents} cents: move them before closing it.")


class UnknownEntry(CityError):
    code = "unknown_entry"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, entry_id: UUID) -> None:
        super().__init__(f"There is no entry {entry_id} in the ledger.")


class InvalidCursor(CityError):
    code = "invalid_cursor"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("The place to continue from is not one that a page gave: start again without it.")


class BooksDoNotBalance(CityError):
    """The stored ledger contradicts itself; nothing more is to be posted before somebody knows why."""

    code = "books_do_not_balance"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"The books do not balance: {problem}. Stop posting and compare with the last backup.")
