"""The file of witnesses, held to the text of C2SP tlog-policy."""

import itertools

import pytest

from crypto import tlog
from crypto.errors import MalformedMessage
from crypto.keys import Ed25519Signer
from crypto.tlog import CosignatureSigner, NoteSigner

KEYS = [CosignatureSigner(f"w{n}.example", Ed25519Signer.from_secret(n)).verifier for n in range(1, 7)]
V1, V2, V3, V4, V5, V6 = (key.format() for key in KEYS)
LOG = NoteSigner("city.example/log", Ed25519Signer.from_secret(9)).verifier.format()

# The shape of the example in the specification: two of three, and one of three others.
EXAMPLE = f"""
log {LOG} https://city.example/log/
witness X1 {V1} https://x1.example/
witness\tX2  {V2}
  witness X3 {V3}\t
group X-witnesses 2 X1 X2 X3
# another organisation
witness Y1 {V4}
witness Y2 {V5}
witness Y3 {V6}
group Y-witnesses any Y1 Y2 Y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_example_of_the_specification_counts_as_it_says() -> None:
    policy = tlog.TrustPolicy.parse(EXAMPLE)
    for count in range(7):
        for signed in itertools.combinations(KEYS, count):
            wanted = sum(key in signed for key in KEYS[:3]) >= 2 and any(key in signed for key in KEYS[3:])
            assert policy.is_met(signed) == wanted
    assert policy.witnesses["X1"].url == "https://x1.example"
    assert policy.witnesses["X2"].url is None
    assert [log.format() for log in policy.logs] == [LOG]


def test_one_witness_or_none_may_be_enough() -> None:
    assert tlog.TrustPolicy.parse("quorum none\n").is_met([])
    policy = tlog.TrustPolicy.parse(f"witness X1 {V1}\nquorum X1")
    assert policy.is_met([KEYS[0]])
    assert not policy.is_met([KEYS[1]])


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"witness X1 {V1}\n",
        "quorum X1\n",
        "quorum none\nquorum none\n",
        f"quorum X1\nwitness X1 {V1}\n",
        f"witness none {V1}\nquorum none\n",
        f"witness X1 {V1}\nwitness X1 {V2}\nquorum none\n",
        f"witness X1 {V1}\nwitness X2 {V1}\nquorum none\n",
        f"log {LOG}\nlog {LOG}\nquorum none\n",
        f"witness X1 {LOG}\nquorum none\n",
        f"log {V1}\nquorum none\n",
        f"witness X1 {V1} ftp://x1.example\nquorum none\n",
        f"witness X1 {V1} https://x1.example/ more\nquorum none\n",
        f"witness X1 {V1}\ngroup G 1\nquorum none\n",
        f"witness X1 {V1}\ngroup G 0 X1\nquorum none\n",
        f"witness X1 {V1}\ngroup G 2 X1\nquorum none\n",
        f"witness X1 {V1}\ngroup G 01 X1\nquorum none\n",
        f"witness X1 {V1}\ngroup G any X1 X1\nquorum none\n",
        f"witness X1 {V1}\ngroup G any X1\ngroup H any X1\nquorum none\n",
        "group G any G\nquorum none\n",
        "quorum none\r\n",
        "quorum\x0bnone\n",
        "observe X1\nquorum none\n",
    ],
)
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        tlog.TrustPolicy.parse(text)
