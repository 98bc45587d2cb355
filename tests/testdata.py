"""Third-party test data, read in place: in the folder `CITY_TEST_DATA`, or `../shared/data` beside the checkout."""

import os
from pathlib import Path

from tests import judging

_PUBLISHED = {
    "cose": "github.com/cose-wg/Examples",
    "gsa-icam": "github.com/GSA/gsa-icam-card-builder, cards/ICAM_Card_Objects",
    "merkle": "github.com/transparency-dev/merkle, testdata",
    "wycheproof": "github.com/C2SP/wycheproof, testvectors_v1/ecdsa_secp256r1_sha256_test.json",
}


def folder(name: str) -> Path:
    """The folder of one group of data; without it the running test ends here, and says where it is published."""
    root = os.environ.get("CITY_TEST_DATA")
    found = (Path(root) if root else Path(__file__).parents[2] / "shared" / "data") / name
    if not found.is_dir():
        published = f" (published at {_PUBLISHED[name]})" if name in _PUBLISHED else ""
        judging.missing(f"the test data {name} is not at {found}{published}; set CITY_TEST_DATA to its parent folder")
    return found


def vectors(name: str) -> Path:
    """A file of the vectors that belong to this project."""
    return Path(__file__).parent / "vectors" / name
