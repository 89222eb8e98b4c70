import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.errors import KeyMisused, Malformed, NoteUnsigned, SignatureInvalid
from gateway.ledger.note_keys import SignatureType, SigningKey, VerifierKey, check_name, payload_of
from gateway.ledger.notes import MAX_NOTE_BYTES, Note, NoteSignature, open_note, parse_note, sign_note, signature_of

# the example of the signed-note specification
KEY_TEXT = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# the example of golang.org/x/mod/sumdb/note, whose secret is published
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

ONE = SigningKey("log.example", b"1" * 32)
TWO = SigningKey("log.example", b"2" * 32)
TEXT = "one\n\ntwo\n"


def test_the_example_of_the_specification_verifies():
    key = VerifierKey.parse(KEY_TEXT)
    opened = open_note(EXAMPLE, [key])
    assert opened.text == "This is an example message.\n"
    assert [verified for verified, _ in opened.verified] == [key]
    assert key.text == KEY_TEXT


def test_go_and_we_sign_the_same_bytes():
    key = SigningKey.parse_secret(GO_SECRET)
    assert key.key.text == GO_KEY
    assert key.secret_text() == GO_SECRET
    assert bytes(sign_note(GO_NOTE.decode().rpartition("\n\n")[0] + "\n", [key])) == GO_NOTE


@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), max_size=200))
def test_every_text_that_is_signed_comes_back(text):
    note = bytes(sign_note(text + "\n", [ONE, TWO]))
    opened = open_note(note, [ONE.key, TWO.key])
    assert opened.text == text + "\n"
    assert [key for key, _ in opened.verified] == [ONE.key, TWO.key]
    assert bytes(parse_note(note)) == note


@pytest.mark.parametrize("text", ["no newline", "a\tb\n", "a\rb\n", "nul\x00\n", ""])
def test_a_text_that_no_note_can_hold_is_not_signed(text):
    with pytest.raises(Malformed, match="note"):
        sign_note(text, [ONE])


def test_the_text_ends_at_the_last_blank_line():
    note = bytes(sign_note("a\n\n— log.example AAAAAAAA\n", [ONE]))
    assert open_note(note, [ONE.key]).text == "a\n\n— log.example AAAAAAAA\n"


def test_unknown_keys_are_ignored_even_with_a_known_name_or_id():
    other_name = NoteSignature("other.example", ONE.key.key_id, b"x" * 64)
    other_id = NoteSignature("log.example", b"none", b"x" * 64)
    note = sign_note(TEXT, [ONE]).with_signatures([other_name, other_id])
    opened = open_note(bytes(note), [ONE.key])
    assert [key for key, _ in opened.verified] == [ONE.key]
    assert opened.note == note


def test_a_known_key_whose_signature_fails_refuses_the_note_though_another_verifies():
    forged = NoteSignature(TWO.key.name, TWO.key.key_id, b"x" * 64)
    note = bytes(sign_note(TEXT, [ONE]).with_signatures([forged]))
    assert open_note(note, [ONE.key]).text == TEXT
    with pytest.raises(SignatureInvalid, match=TWO.key.key_id.hex()):
        open_note(note, [ONE.key, TWO.key])


def test_a_note_that_no_known_key_signed_is_refused():
    note = bytes(sign_note(TEXT, [ONE]))
    with pytest.raises(NoteUnsigned, match="signed by log"):
        open_note(note, [TWO.key])
    with pytest.raises(NoteUnsigned):
        open_note(note, [])


def test_a_signature_under_a_colliding_name_and_id_fails():
    """A key id is four bytes: an attacker can make a key with the same id, and gets a failure, not an acceptance."""
    collided = NoteSignature(ONE.key.name, ONE.key.key_id, payload_of(TWO, TEXT))
    with pytest.raises(SignatureInvalid):
        open_note(bytes(Note(TEXT, (collided,))), [ONE.key])


@given(data=st.data())
def test_no_single_byte_of_a_note_can_change(data):
    note = bytes(sign_note("log.example\n12\nroot\n", [ONE]))
    at = data.draw(st.integers(0, len(note) - 1))
    changed = bytearray(note)
    changed[at] = data.draw(st.integers(0, 255).filter(lambda one: one != note[at]))
    with pytest.raises((Malformed, NoteUnsigned, SignatureInvalid)):
        open_note(bytes(changed), [ONE.key])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        "text\n— log.example AAAAAAAA\n".encode(),
        "text\n\n— log.example AAAAAAAA".encode(),
        b"text\n\n- log.example AAAAAAAA\n",
        "text\n\n—log.example AAAAAAAA\n".encode(),
        "text\n\n— log.example\n".encode(),
        "text\n\n— log.example AAAA\n".encode(),
        "text\n\n— log.example AAAAAA==\n".encode(),
        "text\n\n— log.example AAAAAAB=\n".encode(),
        "text\n\n— log.example AAAAAAA\n".encode(),
        "text\n\n— log.example AAAA AAAA\n".encode(),
        "text\n\n— log.example AAAAAA-_\n".encode(),
        "text\n\n— log.example  AAAAAAAA\n".encode(),
        "text\n\n— log.example AAAAAAA=AAAA\n".encode(),
        "text\n\n— lo+g.example AAAAAAAA\n".encode(),
        "text\n\n— log\u00a0example AAAAAAAA\n".encode(),
        "text\n\n— log.example AAAAAAAA\r\n".encode(),
        "te\x07xt\n\n— log.example AAAAAAAA\n".encode(),
        b"te\xffxt\n\n\xe2\x80\x94 log.example AAAAAAAA\n",
        ("text\n\n" + "— log.example AAAAAAAA\n" * 101).encode(),
        b"x" * (MAX_NOTE_BYTES + 1),
    ],
)
def test_what_is_no_note(data):
    with pytest.raises(Malformed):
        parse_note(data)


def test_a_note_may_have_a_hundred_signatures():
    assert len(parse_note(("text\n\n" + "— log.example AAAAAAAA\n" * 100).encode()).signatures) == 100


def test_the_first_of_two_signatures_of_a_key_counts_as_in_go():
    first = signature_of(ONE, TEXT)
    second = NoteSignature(first.name, first.key_id, b"x" * 64)
    assert open_note(bytes(Note(TEXT, (first, second))), [ONE.key]).verified == ((ONE.key, first),)
    with pytest.raises(SignatureInvalid):
        open_note(bytes(Note(TEXT, (second, first))), [ONE.key])


def test_a_newer_signature_of_a_key_takes_the_place_of_its_older_one():
    first = sign_note(TEXT, [ONE])
    newer = NoteSignature(ONE.key.name, ONE.key.key_id, b"y" * 64)
    assert first.with_signatures([newer]).signatures == (newer,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("example.com/foo", "name"),
        ("example.com/foo+530d903a", "name"),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key name"),
        (KEY_TEXT.replace("530d903a", "530d903b"), "mistyped"),
        (KEY_TEXT.replace("530d903a", "530D903A"), "mistyped"),
        (KEY_TEXT.replace("foo", "fooo"), "mistyped"),
        (KEY_TEXT.replace("AekyeR", "AekyeS"), "mistyped"),
        (KEY_TEXT[:-4], "no Ed25519 key"),
        (KEY_TEXT + "=", "base64"),
        ("example.com/foo+530d903a+", "types"),
        ("example.com/foo+530d903a+CekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "types"),
    ],
)
def test_a_verifier_key_that_is_damaged_is_refused(text, why):
    with pytest.raises(Malformed, match=why):
        VerifierKey.parse(text)


def test_base64_of_a_key_may_hold_a_plus():
    key = next(
        one for one in (SigningKey("a", bytes([n]) * 32).key for n in range(256)) if "+" in one.text.split("+", 2)[2]
    )
    assert VerifierKey.parse(key.text) == key


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\u0085b", "a\nb", "a\x1fb", "a\u2028b", "x" * 256])
def test_a_key_name_has_no_spaces_and_no_plus(name):
    with pytest.raises(Malformed, match="key name"):
        check_name(name)


def test_names_of_other_scripts_are_fine():
    key = SigningKey("журнал.example/№1", b"3" * 32)
    assert VerifierKey.parse(key.key.text) == key.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PRIVATE+KEY+a",
        GO_KEY,
        GO_SECRET[:-1],
        GO_SECRET.replace("c74f20a3", "c74f20a4"),
        GO_SECRET.replace("PeterNeumann", "Peter Neumann"),
        GO_SECRET.replace("+AY", "+CY"),
    ],
)
def test_a_damaged_secret_is_refused_without_telling_it(text):
    with pytest.raises(KeyMisused) as refused:
        SigningKey.parse_secret(text)
    assert "EKFALVFGyNhPJEMzD1QIDr" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_cosigning_key_states_a_time_and_others_do_not():
    cosigner = SigningKey("w.example", b"w" * 32, SignatureType.COSIGNATURE)
    with pytest.raises(KeyMisused, match="time"):
        payload_of(cosigner, TEXT)
    with pytest.raises(KeyMisused, match="time"):
        payload_of(ONE, TEXT, 5)


def test_a_public_key_that_is_no_point_verifies_nothing():
    assert not VerifierKey("a", b"\xff" * 32).verifies(TEXT, b"x" * 64)
