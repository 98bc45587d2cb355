"""What follows when a card ends, by the reason: data that the API shows, officers read and the verbs obey."""

from dataclasses import dataclass
from enum import StrEnum

from cardsvc.cards.rules.errors import IdentityNotChecked, NotReplaced
from cardsvc.cards.rules.states import RevocationReason


class NewCard(StrEnum):
    """Whether the resident may have a card in the place of the one that ended."""

    AT_ONCE = "at_once"
    AFTER_IDENTITY_CHECK = "after_identity_check"  # a member of staff says that the person was identified anew
    REFUSED = "refused"


class Tell(StrEnum):
    """Who has to know. Terminals always do, through the deny list."""

    RESIDENT = "resident"
    REGISTER = "register"
    FINANCE = "finance"
    BENEFITS = "benefits"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Consequence:
    """`card`, `wallet`, `order` are sentences for officers. The wallet is the resident's: it never hangs on a card."""

    reason: RevocationReason
    new_card: NewCard
    tell: tuple[Tell, ...]
    card: str
    wallet: str
    order: str


def _say(sentence: str) -> str:
    """Marks a sentence for the catalogue; the page that shows it translates it."""
    return sentence


_WALLET_STAYS = _say("Nothing changes: balance, purses, concessions and claims are the resident's and stay theirs.")
_ORDER_GOES_ON = _say("A new card may be ordered in the same visit.")

CONSEQUENCES = {
    consequence.reason: consequence
    for consequence in (
        Consequence(
            RevocationReason.LOST,
            NewCard.AT_ONCE,
            (Tell.RESIDENT,),
            _say("Denied everywhere from this moment. If it is found it is cut up, never used again."),
            _WALLET_STAYS,
            _ORDER_GOES_ON,
        ),
        Consequence(
            RevocationReason.STOLEN,
            NewCard.AT_ONCE,
            (Tell.RESIDENT, Tell.AUDITOR),
            _say("Denied everywhere from this moment. The number of the police report belongs into the note."),
            _WALLET_STAYS,
            _ORDER_GOES_ON,
        ),
        Consequence(
            RevocationReason.DAMAGED,
            NewCard.AT_ONCE,
            (Tell.RESIDENT,),
            _say("Denied everywhere from this moment. It is taken in and cut up."),
            _WALLET_STAYS,
            _ORDER_GOES_ON,
        ),
        Consequence(
            RevocationReason.DECEASED,
            NewCard.REFUSED,
            (Tell.REGISTER, Tell.FINANCE, Tell.BENEFITS),
            _say("Denied everywhere from this moment. It is taken in and cut up."),
            _say(
                "Stays as it is until finance settles it with the heirs; claims after the day of death are looked at."
            ),
            _say("No new card: the register says that the person died."),
        ),
        Consequence(
            RevocationReason.MOVED,
            NewCard.REFUSED,
            (Tell.RESIDENT, Tell.REGISTER, Tell.FINANCE, Tell.BENEFITS),
            _say("Denied everywhere from this moment. It is taken in and cut up."),
            _say("Stays as it is until finance pays it out; future claims end with the residence."),
            _say("No new card: only residents have one."),
        ),
        Consequence(
            RevocationReason.FRAUD,
            NewCard.AFTER_IDENTITY_CHECK,
            (Tell.AUDITOR, Tell.FINANCE),
            _say("Denied everywhere from this moment. It is kept as evidence, then cut up."),
            _say("Stays as it is; finance looks at what the card signed."),
            _say(
                "A new card only after the person was identified anew, from documents, by another look than the card's."
            ),
        ),
        Consequence(
            RevocationReason.WITHDRAWN,
            NewCard.AT_ONCE,
            (),
            _say("An order that is not carried out; what was already made of it is denied and cut up."),
            _WALLET_STAYS,
            _ORDER_GOES_ON,
        ),
        Consequence(
            RevocationReason.SUPERSEDED,
            NewCard.REFUSED,
            (),
            _say("Ended by the handing over of its successor. It is taken in and cut up."),
            _WALLET_STAYS,
            _say("No new card: the resident holds the successor, which is the one to renew or to replace."),
        ),
    )
}


def check_plain_order(reason: RevocationReason, *, identity_checked: bool) -> RevocationReason | None:
    """The reason, where a new card after it needs the person identified anew; None where it needs nothing.

    Who was revoked as deceased or moved, and is active in the register, came back or was mistaken for somebody else.
    Raises: IdentityNotChecked.
    """
    if not forbids_new_card(reason):
        return None
    if not identity_checked:
        raise IdentityNotChecked(reason)
    return reason


def forbids_new_card(reason: RevocationReason) -> bool:
    """Whether an order that is on its way is stopped with a card that ends for this reason."""
    return reason is not RevocationReason.SUPERSEDED and CONSEQUENCES[reason].new_card is not NewCard.AT_ONCE


def check_new_card(reason: RevocationReason, *, identity_checked: bool) -> None:
    """Raises: NotReplaced, IdentityNotChecked."""
    consequence = CONSEQUENCES[reason]
    if consequence.new_card is NewCard.REFUSED:
        raise NotReplaced(reason, consequence.order)
    if consequence.new_card is NewCard.AFTER_IDENTITY_CHECK and not identity_checked:
        raise IdentityNotChecked(reason)
