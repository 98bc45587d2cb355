"""The city's service as a terminal sees it: a few calls over HTTP, values in and out, one class per failure."""

from terminals.client.answers import (
    BillView,
    CardView,
    Consequence,
    DueView,
    EnrolmentAnswer,
    Instructions,
    Issued,
    IssuedCertificate,
    ItemAnswer,
    Look,
    PassView,
    PersonView,
    Possession,
    PurseView,
    ResidentView,
    StaffSession,
    TopUpMandateView,
    UploadAnswer,
)
from terminals.client.errors import AnswerNotUnderstood, ClientError, ServiceRefused, ServiceUnreachable
from terminals.client.fees import FeeView
from terminals.client.sealed import SecretAsk, Terminal
from terminals.client.service import ServiceClient
from terminals.client.staff import StaffClient
from terminals.client.transport import HttpTransport, Reply, Send

__all__ = [
    "AnswerNotUnderstood",
    "BillView",
    "CardView",
    "ClientError",
    "Consequence",
    "DueView",
    "EnrolmentAnswer",
    "FeeView",
    "HttpTransport",
    "Instructions",
    "Issued",
    "IssuedCertificate",
    "ItemAnswer",
    "Look",
    "PassView",
    "PersonView",
    "Possession",
    "PurseView",
    "Reply",
    "ResidentView",
    "SecretAsk",
    "Send",
    "ServiceClient",
    "ServiceRefused",
    "ServiceUnreachable",
    "StaffClient",
    "StaffSession",
    "Terminal",
    "TopUpMandateView",
    "UploadAnswer",
]
