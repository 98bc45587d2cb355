"""Verbs: order a card, make it, hand it over, stop it; take many in at once."""

from cardsvc.cards.actions.asking import CounterKey, read_request
from cardsvc.cards.actions.batch import BatchChallenges, IssuedCard, IssueReport, batch_challenges, issue_many
from cardsvc.cards.actions.bulk import BULK, execute_bulk, propose_bulk
from cardsvc.cards.actions.handover import hand_over, report_ready, verify_presence
from cardsvc.cards.actions.moves import locked
from cardsvc.cards.actions.orders import approve, new_card_id, request
from cardsvc.cards.actions.personalisation import Instructions, Issued, begin_personalisation, certify
from cardsvc.cards.actions.pins import reset_pin
from cardsvc.cards.actions.pricing import (
    PRICE,
    WAIVER,
    Payment,
    check_paid,
    note_payment,
    propose_price,
    propose_waiver,
)
from cardsvc.cards.actions.renewing import renew, replace
from cardsvc.cards.actions.renewing_many import RenewedMany, renew_many
from cardsvc.cards.actions.status import destroy, expire_due, resume, revoke, suspend, suspend_own
from cardsvc.cards.actions.stock import send_back, spoil, take_in, use_blank

__all__ = [
    "BULK",
    "PRICE",
    "WAIVER",
    "BatchChallenges",
    "CounterKey",
    "Instructions",
    "IssueReport",
    "Issued",
    "IssuedCard",
    "Payment",
    "RenewedMany",
    "approve",
    "batch_challenges",
    "begin_personalisation",
    "certify",
    "check_paid",
    "destroy",
    "execute_bulk",
    "expire_due",
    "hand_over",
    "issue_many",
    "locked",
    "new_card_id",
    "note_payment",
    "propose_bulk",
    "propose_price",
    "propose_waiver",
    "read_request",
    "renew",
    "renew_many",
    "replace",
    "report_ready",
    "request",
    "reset_pin",
    "resume",
    "revoke",
    "send_back",
    "spoil",
    "suspend",
    "suspend_own",
    "take_in",
    "use_blank",
    "verify_presence",
]
