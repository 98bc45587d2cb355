"""Verbs: invite, enrol, revoke a terminal; follow its chain of records; make the policy, the deny list, the CRLs."""

from cardsvc.devices.actions.chain import track, track_many
from cardsvc.devices.actions.denials import (
    RELEASE,
    current_deny_number,
    held_list,
    publish_deny_list,
    signed_deny_delta,
    signed_deny_list,
    telling_terminals,
)
from cardsvc.devices.actions.enrolment import Enrolment, enrol, invite, portal, revoke
from cardsvc.devices.actions.policies import PolicySources, numbered_policy, policy
from cardsvc.devices.actions.revocations import (
    AUTHORITIES,
    Authority,
    publish_revocation_list,
    publish_revocation_lists,
    subject_key_id,
    usable_revocation_list,
)

__all__ = [
    "AUTHORITIES",
    "RELEASE",
    "Authority",
    "Enrolment",
    "PolicySources",
    "current_deny_number",
    "enrol",
    "held_list",
    "invite",
    "numbered_policy",
    "policy",
    "portal",
    "publish_deny_list",
    "publish_revocation_list",
    "publish_revocation_lists",
    "revoke",
    "signed_deny_delta",
    "signed_deny_list",
    "subject_key_id",
    "telling_terminals",
    "track",
    "track_many",
    "usable_revocation_list",
]
