"""Words for what the room keeps as codes, in the reader's language. Asked for at each page: the language may differ."""

from flask_babel import gettext as _


def states() -> dict[str, str]:
    return {
        "requested": _("To approve"),
        "approved": _("To make"),
        "personalising": _("Being made"),
        "ready": _("To hand over"),
        "active": _("In use"),
        "suspended": _("Suspended"),
        "revoked": _("Ended"),
        "expired": _("Expired"),
        "destroyed": _("Cut up"),
    }


def reasons() -> dict[str, str]:
    return {
        "lost": _("Lost"),
        "stolen": _("Stolen"),
        "damaged": _("Damaged"),
        "deceased": _("The holder died"),
        "moved": _("The holder moved away"),
        "fraud": _("Fraud"),
        "withdrawn": _("Withdrawn"),
        "superseded": _("Renewed"),
    }


def order_kinds() -> dict[str, str]:
    return {"first": _("First card"), "renewal": _("Renewal"), "replacement": _("Replacement")}


def issues() -> dict[str, str]:
    """Why a card is issued, by what became of the one before."""
    return {
        "first": _("First card"),
        "renewal": _("Renewal"),
        "lost": _("The card before was lost"),
        "stolen": _("The card before was stolen"),
        "damaged": _("The card before was damaged"),
        "deceased": _("The holder was said to have died"),
        "moved": _("The holder moved away and came back"),
        "fraud": _("After fraud"),
        "withdrawn": _("The card before was withdrawn"),
    }


def fees() -> dict[str, str]:
    return {"free": _("free"), "due": _("to be paid"), "paid": _("paid"), "waived": _("waived by two")}


def told() -> dict[str, str]:
    return {
        "resident": _("the resident"),
        "register": _("the register"),
        "finance": _("finance"),
        "benefits": _("benefits"),
        "auditor": _("the auditor"),
    }


def blank_states() -> dict[str, str]:
    return {
        "in_stock": _("In stock"),
        "used": _("Used"),
        "spoiled": _("Spoiled"),
        "returned": _("Sent back"),
    }


def spoilage() -> dict[str, str]:
    return {
        "defective": _("Does not answer, or wrongly"),
        "misprinted": _("Misprinted"),
        "damaged": _("Damaged"),
        "torn": _("Given up halfway"),
        "wrong_product": _("Wrong product"),
        "missing": _("Missing from the shelf"),
    }


def decisions() -> dict[str, str]:
    return {"suspend": _("Suspend"), "resume": _("Let be used again"), "revoke": _("End for good")}
