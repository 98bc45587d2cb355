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


class TooManyFromHere(CityError):
    code = "too_many_attempts"
    kind = ErrorKind.TOO_MANY

    def __init__(self) -> None:
        minutes = int(FAILURES_WINDOW.total_seconds() // 60)
        super().__init__(f"Too many attempts from this address. Wait {minutes} minutes, then try again.")


class PasswordsRefused(CityError):
    """Told only to whoever entered the right password."""

    code = "passwords_refused"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("Staff do not sign in with a password here. Use your card, or a passkey.")


class ChallengeGone(CityError):
    """The nonce was used, ran out, or was given to another browser."""

    code = "challenge_gone"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("This sign-in took too long, or was begun in another window. Begin it again.")


class MalformedToken(CityError):
    code = "malformed_token"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"The sign-in token cannot be read: {problem}. Update the program beside the card reader.")


class CardNotAccepted(CityError):
    """The card, its certificate or its signature; `str` says which of them, never whose card it is."""

    code = "card_not_accepted"
    kind = ErrorKind.UNAUTHENTICATED


class CardIsNobodys(CityError):
    code = "card_is_nobodys"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("This card stands for no member of staff. Ask a card officer to bind it to your account.")


class NoSigningPasskey(CityError):
    code = "no_signing_passkey"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("You have no passkey that can sign (ES256). Add one under your account, then try again.")


class PasskeyNotAccepted(CityError):
    code = "passkey_not_accepted"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("This passkey was not accepted. Try again, or sign in another way.")


class NoSuchBinding(CityError):
    code = "no_such_staff_card"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This card is not bound to this member of staff.")


class CardBoundAlready(CityError):
    code = "card_bound_already"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This card stands for a member of staff already. Unbind it first.")


class CardWasAnothers(CityError):
    """What a card signed stays the signature of who had it, so it never becomes somebody else's."""

    code = "card_was_anothers"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This card stood for another member of staff before. Bind a card that is their own.")


class BindingNotProven(CityError):
    """A key did not sign the statement, or the two certificates are not of one card in use."""

    code = "binding_not_proven"
    kind = ErrorKind.UNPROCESSABLE


class MayNotBind(CityError):
    code = "may_not_bind"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("A card is bound with the password of the person it is for. Have them enter it.")


class NoSuchSignIn(CityError):
    code = "no_such_sign_in"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such sign-in of yours; it may have ended by itself.")


class NoSuchPasskey(CityError):
    code = "no_such_passkey"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such passkey of yours.")
