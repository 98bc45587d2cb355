"""Notes, checkpoints and tiles as golang.org/x/mod/sumdb (note, tlog) and the C2SP examples have them.

The short texts and keys are those that Go's own tests publish (BSD licence, The Go Authors) and that the specifications
signed-note, tlog-tiles and tlog-cosignature print; what is checked about them is written anew here.
"""

import pytest

from crypto import tlog
from crypto.errors import CryptoError, MalformedMessage
from crypto.tlog import Checkpoint, NoteVerifier

PETER = NoteVerifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
ENOCH = NoteVerifier.parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "\N{EM DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "\N{EM DASH} EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
BOTH = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}"


def test_each_of_two_signers_opens_the_note_and_the_other_is_passed_over() -> None:
    for verifier in (PETER, ENOCH):
        assert tlog.open_note(BOTH, [verifier]) == (TEXT, verifier)
    assert tlog.open_note(BOTH, [ENOCH, PETER]) == (TEXT, ENOCH)
    with pytest.raises(CryptoError):
        tlog.open_note(BOTH, [])


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + PETER_LINE[:-1],
        "\x01" + TEXT + "\n" + PETER_LINE,
        "\udcff" + TEXT + "\n" + PETER_LINE,  # a byte that is no UTF-8
        TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "Bad Name"),
        TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "Bad+Name"),
        TEXT + "\n" + PETER_LINE + "Unexpected line.\n",
        TEXT + "\n" + PETER_LINE * 101,
    ],
)
def test_what_go_calls_malformed_is_malformed(note: str) -> None:
    with pytest.raises(MalformedMessage):
        tlog.open_note(note, [PETER])


def test_a_wrong_signature_of_a_known_key_spoils_the_note_and_of_an_unknown_one_does_not() -> None:
    wrong = PETER_LINE[:60] + "ABCD" + PETER_LINE[60:]
    with pytest.raises(CryptoError):
        tlog.open_note(f"{TEXT}\n{wrong}", [PETER])
    assert tlog.open_note(f"{TEXT}\n{wrong}{ENOCH_LINE}", [ENOCH])[1] == ENOCH
    for renamed in (PETER_LINE.replace("PeterNeumann", "CarmenSandiego"), PETER_LINE.replace("x08g", "xxxx")):
        with pytest.raises(CryptoError):
            tlog.open_note(f"{TEXT}\n{renamed}", [PETER])


def test_no_part_of_a_verifier_key_is_one() -> None:
    text = PETER.format()
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            if (start, end) != (0, len(text)):
                with pytest.raises(MalformedMessage):
                    NoteVerifier.parse(text[start:end])
    for other in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ):
        with pytest.raises(MalformedMessage):
            NoteVerifier.parse(other)


def test_the_example_of_signed_note_verifies() -> None:
    verifier = NoteVerifier.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = (
        "This is an example message.\n\n\N{EM DASH} example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert tlog.open_note(note, [verifier])[0] == "This is an example message.\n"


def test_a_tree_is_written_and_read_as_go_writes_it() -> None:
    golden = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
    head = Checkpoint("go.sum database tree", 123456789012, tlog.leaf_hash(b"hello world"))
    assert head.encode() == golden
    assert Checkpoint.decode(golden) == head
    for other in (golden.replace("123456789012", "0xabcdef"), golden.replace("wBb0=", "wBTOOBIG=")):
        with pytest.raises(MalformedMessage):
            Checkpoint.decode(other)
    assert Checkpoint.decode(golden + "JOE\n").extensions == ("JOE",)
    with pytest.raises(MalformedMessage):  # C2SP tlog-checkpoint is stricter than Go: every line ends
        Checkpoint.decode(golden + "JOE")


def test_the_cosigned_example_is_taken_apart_as_it_is_printed() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    note = (
        f"{text}\n\N{EM DASH} example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "\N{EM DASH} witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    said, [(log, data), (witness, cosignature)] = tlog.split_note(note)
    assert (said, log, witness) == (text, "example.com/behind-the-sofa", "witness.example.com/w1")
    assert Checkpoint.decode(said).size == 20852163
    assert (len(data), len(cosignature)) == (4 + 64, 4 + 8 + 64)
    assert int.from_bytes(cosignature[4:12], "big") == 1679315147  # the time in the specification's signed message


def test_a_tree_of_70_000_leaves_has_the_tiles_of_the_specification() -> None:
    """C2SP tlog-tiles, "Partial Tiles", word for word; and a tree of 256."""
    tiles = [tile for tile in tlog.tiles_for(70_000) if tile.level != tlog.ENTRIES]
    by_level = {level: [tile.width for tile in tiles if tile.level == level] for level in (0, 1, 2)}
    assert by_level == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}
    assert [tile.path() for tile in tlog.tiles_for(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    full = tlog.tile_bytes(lambda _level, _index: bytes(32), tlog.Tile(0, 0, 256))
    assert len(full) == 8192
