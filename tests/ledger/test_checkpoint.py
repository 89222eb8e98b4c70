import pytest

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.errors import KeyMisused, Malformed, NoteUnsigned, SignatureInvalid
from gateway.ledger.frontier import Frontier
from gateway.ledger.log_keys import LogKeys, announce_key, sign_checkpoint
from gateway.ledger.note_keys import SignatureType, SigningKey
from gateway.ledger.notes import sign_note
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY
from tests.ledger.naive import NaiveTree

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
SPECIFIED = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"
AT_7 = Checkpoint.of(ORIGIN, Frontier().appended(NaiveTree(7).leaves))


def test_the_example_of_the_specification():
    checkpoint = parse_checkpoint(SPECIFIED)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.root.hex().startswith("0ac5186a9186")
    assert checkpoint.text == SPECIFIED


@pytest.mark.parametrize(
    "text",
    [
        "",
        SPECIFIED[:-1],
        SPECIFIED + "extension\n",
        SPECIFIED + "\n",
        SPECIFIED.replace("20852163", "020852163"),
        SPECIFIED.replace("20852163", "+20852163"),
        SPECIFIED.replace("20852163", " 20852163"),
        SPECIFIED.replace("20852163", "2_0852163"),
        SPECIFIED.replace("20852163", "-1"),
        SPECIFIED.replace("20852163", "٢"),
        SPECIFIED.replace("20852163", ""),
        SPECIFIED.replace("20852163", str(2**63)),
        SPECIFIED.replace("20852163", "9" * 5_000),
        SPECIFIED.replace("20852163", "0"),
        SPECIFIED.replace(ROOT, ROOT[:-1]),
        SPECIFIED.replace(ROOT, ROOT[:-2] + "J="),
        SPECIFIED.replace(ROOT, "AAAA"),
        SPECIFIED.replace("example.com/behind-the-sofa", ""),
        SPECIFIED.replace("example.com/behind-the-sofa", "behind the sofa"),
        SPECIFIED.replace("\n", "\r\n"),
    ],
)
def test_anything_else_is_no_checkpoint(text):
    with pytest.raises(Malformed):
        parse_checkpoint(text)


def test_a_signed_checkpoint_opens_with_its_logs_key():
    signed = LOG.open_checkpoint(bytes(sign_checkpoint(AT_7, [KEY])))
    assert signed.checkpoint == AT_7
    assert signed.keys == (KEY.key,)


def test_a_checkpoint_of_another_origin_does_not_open_though_the_key_signed_it():
    other = Checkpoint("ledger.example/two", AT_7.size, AT_7.root)
    with pytest.raises(Malformed, match="not of ledger"):
        LOG.open_checkpoint(bytes(sign_note(other.text, [KEY])))


def test_a_checkpoint_signed_by_another_key_of_that_name_does_not_open():
    with pytest.raises(NoteUnsigned):
        LOG.open_checkpoint(bytes(sign_checkpoint(AT_7, [OTHER_KEY])))


def test_only_keys_with_the_origin_as_their_name_sign_checkpoints():
    evidence = SigningKey.generate(f"{ORIGIN}/evidence")
    with pytest.raises(KeyMisused, match="does not sign checkpoints"):
        sign_checkpoint(AT_7, [evidence])
    with pytest.raises(KeyMisused, match="does not sign checkpoints"):
        sign_checkpoint(AT_7, [KEY, SigningKey.generate(ORIGIN, SignatureType.COSIGNATURE)])
    with pytest.raises(KeyMisused, match="does not sign checkpoints"):
        LogKeys.pinned(KEY.key, evidence.key)
    with pytest.raises(KeyMisused, match="no key"):
        LogKeys.pinned()


# --- one key follows another


def _announced(size=5):
    return bytes(announce_key(KEY, OTHER_KEY, size))


def test_a_key_that_the_old_one_announced_is_believed():
    both = LOG.following([_announced()])
    assert both.known == (KEY.key, OTHER_KEY.key)
    for signers in ([KEY], [OTHER_KEY], [KEY, OTHER_KEY]):
        assert both.open_checkpoint(bytes(sign_checkpoint(AT_7, signers))).keys == tuple(one.key for one in signers)


def test_during_the_overlap_whoever_knows_one_key_needs_no_announcement():
    note = bytes(sign_checkpoint(AT_7, [KEY, OTHER_KEY]))
    assert LOG.open_checkpoint(note).checkpoint == AT_7
    assert LogKeys.pinned(OTHER_KEY.key).open_checkpoint(note).checkpoint == AT_7


def test_a_key_does_not_sign_trees_smaller_than_announced():
    both = LOG.following([_announced(size=8)])
    with pytest.raises(NoteUnsigned, match="larger than 7"):
        both.open_checkpoint(bytes(sign_checkpoint(AT_7, [OTHER_KEY])))
    assert both.open_checkpoint(bytes(sign_checkpoint(AT_7, [KEY, OTHER_KEY]))).keys == (KEY.key,)


def test_keys_follow_each_other_in_a_chain():
    third = SigningKey(ORIGIN, b"t" * 32)
    chain = [_announced(), bytes(announce_key(OTHER_KEY, third, 6))]
    assert LOG.following(chain).known == (KEY.key, OTHER_KEY.key, third.key)
    # whoever pinned the second key passes over its own announcement
    assert LogKeys.pinned(OTHER_KEY.key).following(chain).known == (OTHER_KEY.key, third.key)
    # whoever pinned the last one needs none
    assert LogKeys.pinned(third.key).following(chain).known == (third.key,)
    # an announcement of a key that was not announced itself is worth nothing
    assert LOG.following(chain[1:]).known == (KEY.key,)


def test_an_announcement_that_the_new_key_did_not_sign_is_refused():
    """Otherwise somebody else's key could be announced as the log's."""
    text = f"key-announcement/v1\n{ORIGIN}\n{OTHER_KEY.key.text}\n5\n"
    with pytest.raises(Malformed, match="did not sign its own"):
        LOG.following([bytes(sign_note(text, [KEY]))])


def test_an_announcement_that_was_altered_is_refused():
    with pytest.raises(SignatureInvalid):
        LOG.following([_announced().replace(b"\n5\n", b"\n6\n")])


@pytest.mark.parametrize(
    "text",
    [
        AT_7.text,
        f"key-announcement/v2\n{ORIGIN}\n{OTHER_KEY.key.text}\n5\n",
        f"key-announcement/v1\n{ORIGIN}\n{OTHER_KEY.key.text}\n",
        f"key-announcement/v1\n{ORIGIN}\n{OTHER_KEY.key.text}\n5\nmore\n",
        f"key-announcement/v1\n{ORIGIN}\n{OTHER_KEY.key.text}\n05\n",
        f"key-announcement/v1\nother.example\n{OTHER_KEY.key.text}\n5\n",
        f"key-announcement/v1\n{ORIGIN}\n{SigningKey('other.example', b'o' * 32).key.text}\n5\n",
        f"key-announcement/v1\n{ORIGIN}\n{SigningKey(ORIGIN, b'o' * 32, SignatureType.COSIGNATURE).key.text}\n5\n",
        f"key-announcement/v1\n{ORIGIN}\nno key\n5\n",
    ],
)
def test_what_is_no_announcement(text):
    with pytest.raises(Malformed):
        LOG.following([bytes(sign_note(text, [KEY]))])


def test_an_announcement_is_no_checkpoint():
    with pytest.raises(Malformed, match="three lines"):
        LOG.open_checkpoint(_announced())


def test_a_key_does_not_follow_itself_or_one_of_another_log():
    with pytest.raises(KeyMisused, match="cannot follow"):
        announce_key(KEY, KEY, 5)
    with pytest.raises(KeyMisused, match="cannot follow"):
        announce_key(KEY, SigningKey.generate("other.example"), 5)
