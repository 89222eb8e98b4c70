import stat

import pytest

from gateway.ledger.errors import KeyMisused
from gateway.ledger.key_files import KeyFiles, KeyPurpose
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.note_keys import SigningKey
from tests.ledger.logs import ORIGIN


@pytest.fixture
def keys(tmp_path):
    return KeyFiles(tmp_path / "keys", ORIGIN)


def test_each_purpose_has_a_key_of_its_own_that_only_its_owner_reads(keys):
    for purpose in KeyPurpose:
        keys.create(purpose)
        assert stat.S_IMODE(keys.path(purpose).stat().st_mode) == 0o600
    assert keys.signer(KeyPurpose.LOG).key.name == ORIGIN
    assert keys.signer(KeyPurpose.EVIDENCE).key.name == f"{ORIGIN}/evidence"
    assert keys.signer(KeyPurpose.LOG).key.public != keys.signer(KeyPurpose.EVIDENCE).key.public
    assert len(keys.commitment_key()) == 32
    assert [path.name for path in sorted(keys.path(KeyPurpose.LOG).parent.iterdir())] == [
        "commitments.key",
        "evidence.key",
        "log.key",
    ]


def test_a_key_stays_the_same(keys):
    keys.create(KeyPurpose.LOG)
    assert keys.signer(KeyPurpose.LOG).secret_text() == keys.signer(KeyPurpose.LOG).secret_text()


@pytest.mark.parametrize("purpose", KeyPurpose)
def test_a_key_is_never_overwritten(keys, purpose):
    keys.create(purpose)
    before = keys.path(purpose).read_bytes()
    with pytest.raises(KeyMisused, match="never overwritten"):
        keys.create(purpose)
    assert keys.path(purpose).read_bytes() == before
    assert len(list(keys.path(purpose).parent.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_can_read_is_not_used(keys, mode):
    for purpose in KeyPurpose:
        keys.create(purpose)
        keys.path(purpose).chmod(mode)
    with pytest.raises(KeyMisused, match="chmod 600"):
        keys.signer(KeyPurpose.LOG)
    with pytest.raises(KeyMisused, match="chmod 600"):
        keys.commitment_key()


def test_a_key_is_used_for_its_purpose_only(keys):
    for purpose in KeyPurpose:
        keys.create(purpose)
    keys.path(KeyPurpose.EVIDENCE).replace(keys.path(KeyPurpose.LOG))
    with pytest.raises(KeyMisused, match="one purpose"):
        keys.signer(KeyPurpose.LOG)
    with pytest.raises(KeyMisused, match="signs nothing"):
        keys.signer(KeyPurpose.COMMITMENTS)


def test_a_missing_linked_or_damaged_file_is_refused_and_its_content_is_not_told(keys, tmp_path):
    with pytest.raises(KeyMisused, match=r"log\.key: cannot be read"):
        keys.signer(KeyPurpose.LOG)
    keys.create(KeyPurpose.LOG)
    secret = keys.path(KeyPurpose.LOG).read_text()
    keys.path(KeyPurpose.LOG).write_text(secret.replace("+A", "+B"))
    with pytest.raises(KeyMisused) as refused:
        keys.signer(KeyPurpose.LOG)
    assert secret.strip()[-20:] not in str(refused.value)
    keys.path(KeyPurpose.LOG).write_bytes(b"\xff\xfe")
    with pytest.raises(KeyMisused, match="no signing key"):
        keys.signer(KeyPurpose.LOG)
    keys.path(KeyPurpose.LOG).unlink()
    (tmp_path / "real").write_text(secret)
    keys.path(KeyPurpose.LOG).symlink_to(tmp_path / "real")
    with pytest.raises(KeyMisused, match="cannot be read"):
        keys.signer(KeyPurpose.LOG)
    keys.path(KeyPurpose.COMMITMENTS).write_bytes(b"short")
    keys.path(KeyPurpose.COMMITMENTS).chmod(0o600)
    with pytest.raises(KeyMisused, match="32 bytes"):
        keys.commitment_key()


def test_a_rotation_overlaps_and_ends_with_the_new_key(keys):
    keys.create(KeyPurpose.LOG)
    (old,) = keys.log_signers()
    note = keys.begin_rotation(10)
    both = keys.log_signers()
    assert both[0].key == old.key
    assert keys.begin_rotation(10) == note  # after a crash: the same key again
    followed = LogKeys.pinned(old.key).following([bytes(note)])
    assert followed.keys == ((old.key, 0), (both[1].key, 10))
    keys.finish_rotation()
    assert [one.key for one in keys.log_signers()] == [both[1].key]
    assert stat.S_IMODE(keys.path(KeyPurpose.LOG).stat().st_mode) == 0o600


def test_there_is_no_end_of_a_rotation_that_did_not_begin(keys):
    keys.create(KeyPurpose.LOG)
    (old,) = keys.log_signers()
    with pytest.raises(KeyMisused, match=r"log\.next\.key"):
        keys.finish_rotation()
    assert keys.signer(KeyPurpose.LOG).key == old.key


def test_the_file_is_the_format_that_go_reads(keys):
    keys.create(KeyPurpose.LOG)
    line = keys.path(KeyPurpose.LOG).read_text()
    assert line.startswith(f"PRIVATE+KEY+{ORIGIN}+")
    assert line.count("\n") == 1
    assert SigningKey.parse_secret(line.strip()).key == keys.signer(KeyPurpose.LOG).key
