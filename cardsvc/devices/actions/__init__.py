"""Verbs: invite, enrol, revoke a terminal; follow its chain of records; make the policy."""

from cardsvc.devices.actions.chain import track
from cardsvc.devices.actions.enrolment import Enrolment, enrol, invite, portal, revoke
from cardsvc.devices.actions.policies import PolicySources, numbered_policy, policy

__all__ = ["Enrolment", "PolicySources", "enrol", "invite", "numbered_policy", "policy", "portal", "revoke", "track"]
