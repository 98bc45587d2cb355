"""Verbs of access: staff and their keys, residents' passwords, sign-ins, actions of two."""

from cardsvc.access.actions.accounts import add_staff, block_staff, set_resident_password
from cardsvc.access.actions.acting import (
    ActionHandler,
    ActionHandlers,
    handlers_by_kind,
    propose,
    sign_action,
    withdraw_action,
)
from cardsvc.access.actions.cards import block_keys
from cardsvc.access.actions.passwords import Account
from cardsvc.access.actions.sign_ins import (
    SignedIn,
    check_password,
    end_sign_ins,
    forget_expired,
    note_failure,
    note_seen,
    open_sign_in,
    sign_out,
)
from cardsvc.access.actions.signing import sign_action_as, sign_as
from cardsvc.access.rules import (
    DemoCredentialsRefused,
    InvalidCredentials,
    TooManyAttempts,
    UnsuitableAccount,
    UsernameTaken,
    WrongPassword,
)

__all__ = [
    "Account",
    "ActionHandler",
    "ActionHandlers",
    "DemoCredentialsRefused",
    "InvalidCredentials",
    "SignedIn",
    "TooManyAttempts",
    "UnsuitableAccount",
    "UsernameTaken",
    "WrongPassword",
    "add_staff",
    "block_keys",
    "block_staff",
    "check_password",
    "end_sign_ins",
    "forget_expired",
    "handlers_by_kind",
    "note_failure",
    "note_seen",
    "open_sign_in",
    "propose",
    "set_resident_password",
    "sign_action",
    "sign_action_as",
    "sign_as",
    "sign_out",
    "withdraw_action",
]
