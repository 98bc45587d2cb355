"""What access refuses, one class a failure."""

from cardsvc.access.rules.accounts import FAILURES_WINDOW
from cardsvc.errors import CityError, ErrorKind


class InvalidCredentials(CityError):
    """The same for an unknown name, a wrong password and a blocked account: it tells a guesser nothing."""

    code = "invalid_credentials"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("The user name or the password is wrong. Try again.")


class WrongPassword(CityError):
    """Of somebody who is signed in and was asked again before signing."""

    code = "wrong_password"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("The password is wrong; nothing was signed. Enter it again.")


class TooManyAttempts(CityError):
    code = "too_many_attempts"
    kind = ErrorKind.TOO_MANY

    def __init__(self) -> None:
        minutes = int(FAILURES_WINDOW.total_seconds() // 60)
        super().__init__(f"Too many wrong passwords for this user name. Wait {minutes} minutes, then try again.")


class DemoCredentialsRefused(CityError):
    code = "demo_credentials_refused"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This is a demo account, and this city is in production. Ask an administrator for your own.")


class UsernameTaken(CityError):
    code = "username_taken"
    kind = ErrorKind.CONFLICT

    def __init__(self, username: str) -> None:
        super().__init__(f"The user name {username} is taken. Choose another.")


class UnsuitableAccount(CityError):
    """A user name, password or role that is not allowed; `fields` says which and why."""

    code = "unsuitable_account"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem, fields={field: [problem]})
