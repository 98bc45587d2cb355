"""What a wallet is made of: two accounts of the ledger, named after the wallet."""

from uuid import UUID, uuid5

from cardsvc import ledger
from cardsvc.errors import CityError, ErrorKind


class WalletNotFound(CityError):
    code = "wallet_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This resident has no wallet yet. Ask for one at any counter.")


def wallet_id_of(resident_id: UUID) -> UUID:
    """One wallet a resident, for ever: its id follows from theirs, so opening it twice is opening it once."""
    return uuid5(resident_id, "city.wallet")


def main_account(wallet_id: UUID) -> str:
    """The account of the money that the city keeps for the holder."""
    return f"wallet:{wallet_id}:main"


def owed_account(wallet_id: UUID) -> str:
    """The account of what the holder owes for rides taken offline with an empty wallet."""
    return f"wallet:{wallet_id}:owed"


def accounts_of(wallet_id: UUID) -> tuple[ledger.AccountSpec, ledger.AccountSpec]:
    """The money is the holder's, a liability in trust that never falls below zero; what is owed is the city's."""
    return (
        ledger.AccountSpec(
            main_account(wallet_id),
            ledger.AccountKind.LIABILITY,
            ledger.AccountPolicy.CHECKED,
            ledger.Fund.TRUST,
            floor_cents=0,
        ),
        ledger.AccountSpec(
            owed_account(wallet_id), ledger.AccountKind.ASSET, ledger.AccountPolicy.DERIVED, ledger.Fund.GENERAL
        ),
    )
