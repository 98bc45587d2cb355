"""The terminals as the service knows them: enrolled with proof, followed by their chains, told by a signed policy."""

from cardsvc.devices.actions import Enrolment, PolicySources, enrol, invite, policy, portal, revoke, track
from cardsvc.devices.queries import Device, SeenAnomaly, anomalies, by_ids, by_key_id, find, listed
from cardsvc.devices.rules import (
    Anomaly,
    AnomalyKind,
    DeviceKind,
    DeviceNotFound,
    DeviceStatus,
    InvalidEnrolmentProof,
    InvalidInvite,
    InvalidTerminalKey,
    Link,
    TerminalKeyInUse,
    enrolment_statement,
)

__all__ = [
    "Anomaly",
    "AnomalyKind",
    "Device",
    "DeviceKind",
    "DeviceNotFound",
    "DeviceStatus",
    "Enrolment",
    "InvalidEnrolmentProof",
    "InvalidInvite",
    "InvalidTerminalKey",
    "Link",
    "PolicySources",
    "SeenAnomaly",
    "TerminalKeyInUse",
    "anomalies",
    "by_ids",
    "by_key_id",
    "enrol",
    "enrolment_statement",
    "find",
    "invite",
    "listed",
    "policy",
    "portal",
    "revoke",
    "track",
]
