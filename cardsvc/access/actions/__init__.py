"""Verbs of access: staff and their keys, residents' passwords, sign-ins, actions of two."""

from cardsvc.access.actions.accounts import add_staff, block_staff, set_resident_password
from cardsvc.access.actions.acting import (
    ActionHandler,
    ActionHandlers,
    handlers_by_kind,
    propose,
    roles_needed,
    sign_action,
    withdraw_action,
)
from cardsvc.access.actions.cards import CardInUse, CardProof, bind_card, block_keys, sign_in_with_card, unbind_card
from cardsvc.access.actions.challenges import (
    OpenChallenge,
    TakenChallenge,
    open_challenge,
    take_challenge,
    waiting_challenge,
)
from cardsvc.access.actions.passkey_signing import record_options, sign_with_passkey
from cardsvc.access.actions.passkeys import (
    Site,
    add_passkey,
    adding_options,
    remove_passkey,
    sign_in_with_passkey,
    signing_in_options,
)
from cardsvc.access.actions.passwords import Account
from cardsvc.access.actions.roles import STAFF_ROLES
from cardsvc.access.actions.sign_ins import (
    SignedIn,
    check_password,
    end_sign_in,
    end_sign_ins,
    forget_expired,
    note_failure,
    note_seen,
    note_wrong_guess,
    open_sign_in,
    sign_out,
)
from cardsvc.access.actions.signing import check_own_password, sign_action_as, sign_as
from cardsvc.access.rules import (
    DemoCredentialsRefused,
    InvalidCredentials,
    TooManyAttempts,
    UnsuitableAccount,
    UsernameTaken,
    WrongPassword,
)

__all__ = [
    "STAFF_ROLES",
    "Account",
    "ActionHandler",
    "ActionHandlers",
    "CardInUse",
    "CardProof",
    "DemoCredentialsRefused",
    "InvalidCredentials",
    "OpenChallenge",
    "SignedIn",
    "Site",
    "TakenChallenge",
    "TooManyAttempts",
    "UnsuitableAccount",
    "UsernameTaken",
    "WrongPassword",
    "add_passkey",
    "add_staff",
    "adding_options",
    "bind_card",
    "block_keys",
    "block_staff",
    "check_own_password",
    "check_password",
    "end_sign_in",
    "end_sign_ins",
    "forget_expired",
    "handlers_by_kind",
    "note_failure",
    "note_seen",
    "note_wrong_guess",
    "open_challenge",
    "open_sign_in",
    "propose",
    "record_options",
    "remove_passkey",
    "roles_needed",
    "set_resident_password",
    "sign_action",
    "sign_action_as",
    "sign_as",
    "sign_in_with_card",
    "sign_in_with_passkey",
    "sign_out",
    "sign_with_passkey",
    "signing_in_options",
    "take_challenge",
    "unbind_card",
    "waiting_challenge",
    "withdraw_action",
]
