"""What the ledger raises. What can be wrong with one draft of a batch is a value instead: `Refused`."""

from collections.abc import Sequence
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


class InvalidMonth(CityError):
    code = "invalid_month"
    kind = ErrorKind.INVALID

    def __init__(self, month: str) -> None:
        super().__init__(f"{month[:20]!r} is not a month of books: write it as YYYY-MM.")


class PeriodOutOfOrder(CityError):
    """Months are closed in their order and reopened the other way round."""

    code = "period_out_of_order"
    kind = ErrorKind.CONFLICT

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}.")


class NotReadyToClose(CityError):
    """A month whose books are not in order; `problems` are sentences."""

    code = "not_ready_to_close"
    kind = ErrorKind.CONFLICT

    def __init__(self, month: str, problems: Sequence[str]) -> None:
        super().__init__(f"{month} cannot be closed yet. {' '.join(problems)}", fields={"month": problems})


class NeverClosed(CityError):
    code = "never_closed"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, month: str) -> None:
        super().__init__(f"{month[:20]!r} was never closed, so no balance was sealed for it.")


class NoChart(CityError):
    code = "no_chart"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This ledger has no chart of accounts yet. Run ./city migrate.")


class InvalidAssertion(CityError):
    code = "invalid_assertion"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}.")


class UnknownAssertion(CityError):
    code = "unknown_assertion"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such balance assertion. Look at the list of assertions.")


class AssertionWithdrawn(CityError):
    code = "assertion_withdrawn"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The assertion was withdrawn before. Assert the balance anew where it holds.")


class InvalidChart(CityError):
    """A chart of accounts that cannot be read, or not follow the present one; `fields` names the patterns."""

    code = "invalid_chart"
    kind = ErrorKind.UNPROCESSABLE


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


class AccountHeld(CityError):
    code = "account_held"
    kind = ErrorKind.CONFLICT

    def __init__(self, account: str) -> None:
        super().__init__(f"Money of account {account} is held: release or capture its holds before closing it.")


class AccountAwaited(CityError):
    code = "account_awaited"
    kind = ErrorKind.CONFLICT

    def __init__(self, account: str, purse: str) -> None:
        super().__init__(f"The purse {purse} returns its rest to account {account}: close it after that purse is done.")


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


class KeyReused(CityError):
    code = "idempotency_key_reused"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for something else. Make a new one for a new request.")
