"""The city's service as a terminal sees it: a few calls over HTTP, values in and out, one class per failure."""

from terminals.client.answers import (
    BillView,
    CardView,
    DueView,
    EnrolmentAnswer,
    Instructions,
    Issued,
    IssuedCertificate,
    ItemAnswer,
    Look,
    Possession,
    ResidentView,
    StaffSession,
    UploadAnswer,
)
from terminals.client.errors import AnswerNotUnderstood, ClientError, ServiceRefused, ServiceUnreachable
from terminals.client.service import ServiceClient
from terminals.client.staff import StaffClient
from terminals.client.transport import HttpTransport, Reply, Send

__all__ = [
    "AnswerNotUnderstood",
    "BillView",
    "CardView",
    "ClientError",
    "DueView",
    "EnrolmentAnswer",
    "HttpTransport",
    "Instructions",
    "Issued",
    "IssuedCertificate",
    "ItemAnswer",
    "Look",
    "Possession",
    "Reply",
    "ResidentView",
    "Send",
    "ServiceClient",
    "ServiceRefused",
    "ServiceUnreachable",
    "StaffClient",
    "StaffSession",
    "UploadAnswer",
]
