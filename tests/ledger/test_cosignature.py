import pytest

from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.cosignature import WitnessPolicy, cosign, with_cosignatures
from gateway.ledger.errors import KeyMisused, NoteUnsigned, SignatureInvalid
from gateway.ledger.log_keys import sign_checkpoint
from gateway.ledger.note_keys import SignatureType, SigningKey, VerifierKey, cosigned_message, signed_at
from gateway.ledger.notes import NoteSignature, parse_note
from tests.ledger.logs import KEY, LOG
from tests.ledger.test_checkpoint import AT_7

EXAMPLE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501
W1 = SigningKey("witness.example/w1", b"w" * 32, SignatureType.COSIGNATURE)
W2 = SigningKey("witness.example/w2", b"v" * 32, SignatureType.COSIGNATURE)
TIME = 1_679_315_147


def _cosigned(*signers, time=TIME):
    note = sign_checkpoint(AT_7, [KEY]).with_signatures([cosign(one, AT_7.text, time) for one in signers])
    return LOG.open_checkpoint(bytes(note))


def test_the_example_of_the_specification():
    """Its keys are not published: the framing and the signed message are."""
    note = parse_note(EXAMPLE.encode())
    assert bytes(note) == EXAMPLE.encode()
    assert parse_checkpoint(note.text).size == 20_852_163
    payload = note.signatures[1].payload
    assert (len(payload), signed_at(payload)) == (72, TIME)
    assert cosigned_message(note.text, TIME).decode() == f"cosignature/v1\ntime 1679315147\n{note.text}"


def test_the_type_is_in_the_key_id():
    plain = SigningKey("witness.example/w1", b"w" * 32)
    assert plain.key.public == W1.key.public
    assert plain.key.key_id != W1.key.key_id
    assert VerifierKey.parse(W1.key.text) == W1.key


def test_the_cosignatures_of_trusted_witnesses_count_with_their_times():
    policy = WitnessPolicy((W1.key, W2.key), 2)
    found = policy.check(_cosigned(W1, W2), LOG)
    assert [(one.key, one.time) for one in found] == [(W1.key, TIME), (W2.key, TIME)]


def test_too_few_are_refused():
    with pytest.raises(NoteUnsigned, match="1 of the trusted witnesses cosigned, 2 are wanted"):
        WitnessPolicy((W1.key, W2.key), 2).check(_cosigned(W1), LOG)
    with pytest.raises(NoteUnsigned, match="0 of"):
        WitnessPolicy((W1.key,), 1).check(_cosigned(W2), LOG)
    assert WitnessPolicy((W1.key,), 0).check(_cosigned(), LOG) == ()


@pytest.mark.parametrize("at", [0, 7, 8, 71])
def test_time_and_signature_are_signed(at):
    good = cosign(W1, AT_7.text, TIME)
    payload = bytearray(good.payload)
    payload[at] ^= 1
    note = sign_checkpoint(AT_7, [KEY]).with_signatures([NoteSignature(good.name, good.key_id, bytes(payload))])
    with pytest.raises(SignatureInvalid):
        WitnessPolicy((W1.key,), 1).check(LOG.open_checkpoint(bytes(note)), LOG)


@pytest.mark.parametrize("payload", [b"", b"x" * 64, b"\x80" + b"x" * 71, b"x" * 73])
def test_a_payload_of_another_shape_verifies_nothing(payload):
    assert not W1.key.verifies(AT_7.text, payload)


def test_a_cosignature_is_no_signature_of_the_log_and_the_other_way_round():
    note = sign_checkpoint(AT_7, [KEY])
    as_cosigner = VerifierKey(KEY.key.name, KEY.key.public, SignatureType.COSIGNATURE)
    assert not as_cosigner.verifies(AT_7.text, note.signatures[0].payload)
    assert not KEY.key.verifies(AT_7.text, cosign(W1, AT_7.text, TIME).payload)


def test_a_log_does_not_witness_itself():
    own = SigningKey("witness.example/me", b"k" * 32, SignatureType.COSIGNATURE)
    with pytest.raises(KeyMisused, match=r"of the log .* itself"):
        WitnessPolicy((own.key,), 1).check(_cosigned(own), LOG)


@pytest.mark.parametrize(
    ("keys", "quorum", "why"),
    [
        ((W1.key,), 2, "quorum of 2 needs as many witness keys, and only 1 is"),
        ((W1.key,), -1, "quorum of -1 is none"),
        ((KEY.key,), 1, "type is not 04"),
        ((W1.key, VerifierKey("other.example", W1.key.public, SignatureType.COSIGNATURE)), 1, "one key"),
    ],
)
def test_a_policy_that_cannot_be(keys, quorum, why):
    with pytest.raises(KeyMisused, match=why):
        WitnessPolicy(keys, quorum)


@pytest.mark.parametrize("time", [-1, 2**63])
def test_no_cosignature_states_such_a_time(time):
    with pytest.raises(KeyMisused, match="time"):
        cosign(W1, AT_7.text, time)


def test_a_log_adds_what_its_witnesses_answered_and_nothing_else():
    note = sign_checkpoint(AT_7, [KEY])
    stranger = SigningKey("stranger.example", b"s" * 32, SignatureType.COSIGNATURE)
    given = [cosign(W1, AT_7.text, TIME), cosign(stranger, AT_7.text, TIME)]
    added = with_cosignatures(note, given, [W1.key])
    assert added.signatures == (*note.signatures, given[0])
    newer = with_cosignatures(added, [cosign(W1, AT_7.text, TIME + 1)], [W1.key])
    assert [signed_at(one.payload) for one in newer.signatures[1:]] == [TIME + 1]
    with pytest.raises(SignatureInvalid):
        with_cosignatures(note, [cosign(W1, "another text\n", TIME)], [W1.key])
