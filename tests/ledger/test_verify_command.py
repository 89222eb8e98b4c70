import json

import pytest

from gateway.cli import main
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.tile_directory import DirectoryTiles
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY, publish_all
from tests.ledger.test_cosignature import TIME, W1, cosign


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """`erp-gateway ledger verify` on a published log of 700 entries: its exit code, stdout and stderr."""
    publish_all(DirectoryTiles(tmp_path / "log"), [700])

    def command(*words, key=KEY.key.text):
        line = ["--directory", str(tmp_path / "log"), "--key", key, "--state", str(tmp_path / "seen.json"), *words]
        monkeypatch.setattr("sys.argv", ["erp-gateway", "ledger", "verify", *line])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return command


def test_a_sound_log(run, tmp_path):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.startswith(f"{ORIGIN}: 700 entries are as signed, root ")
    assert f"signed by {KEY.key.text}\n" in out
    assert "seen for the first time" in out
    publish_all(DirectoryTiles(tmp_path / "log"), [900])
    code, out, _ = run()
    assert code == 0
    assert "continues the 700 entries that were seen before" in out


def test_a_log_that_was_tampered_with_is_told_on_stderr_and_by_the_exit_code(run, tmp_path):
    path = tmp_path / "log/tile/entries/001"
    path.write_bytes(path.read_bytes().replace(b'"seq":300', b'"seq":999'))
    code, out, err = run()
    assert (code, out) == (1, "")
    assert "NOT as it was signed: entry: entry 300 is not the one that was signed · entry 300 · tile/entries/001" in err
    code, out, _ = run("--json")
    assert code == 1
    assert json.loads(out)["wrong"]["firstEntry"] == 300


def test_a_state_that_cannot_be_kept_is_one_line(run, tmp_path):
    (tmp_path / "file").write_text("mine")
    code, out, err = run("--state", str(tmp_path / "file" / "seen.json"))
    assert (code, out) == (1, "")
    assert err.startswith(f"erp-gateway: {tmp_path}/file/seen.json.lock cannot be made: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [["key"], ["serve", "--log", KEY.key.text]])
def test_a_witness_whose_directory_is_a_file_is_one_line(words, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    line = [*words, str(tmp_path / "file"), "--name", "witness.example/w1"]
    monkeypatch.setattr("sys.argv", ["erp-gateway", "witness", *line])
    monkeypatch.setattr("gateway.cli.witness.configure_logs", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        main()
    why = "there is a file where a directory must be"
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"erp-gateway: {tmp_path}/file cannot be written: {why}\n"


def test_json_has_the_words_of_the_wire(run):
    code, out, _ = run("--json")
    told = json.loads(out)
    assert code == 0
    assert set(told) == {"ok", "origin", "size", "rootHash", "signedBy", "cosignedBy", "heldSize", "entriesVerified"}
    assert (told["ok"], told["size"], told["heldSize"], told["signedBy"]) == (True, 700, 0, [KEY.key.text])


def test_a_pack_may_stand_beside_the_published_log(run, tmp_path):
    code, out, err = run(str(tmp_path / "none.zip"))
    assert (code, out) == (2, "")
    assert "none.zip is not there" in err


def test_witnesses(run, tmp_path):
    code, _, err = run("--witness", W1.key.text, "--quorum", "1")
    assert code == 1
    assert "cosignatures: 0 of the trusted witnesses cosigned" in err
    tiles = DirectoryTiles(tmp_path / "log")
    note = LOG.open_checkpoint(tiles.read("checkpoint")).note
    tiles.replace("checkpoint", bytes(note.with_signatures([cosign(W1, note.text, TIME)])))
    code, out, _ = run("--witness", W1.key.text, "--quorum", "1")
    assert code == 0
    assert "cosigned by witness.example/w1 at 2023-03-20T12:25:47" in out
    tiles.replace("checkpoint", bytes(note.with_signatures([cosign(W1, note.text, 2**63 - 1)])))
    code, out, _ = run("--witness", W1.key.text, "--quorum", "1")
    assert code == 0
    assert "at 9223372036854775807 s after 1970" in out


@pytest.mark.parametrize(
    ("words", "key", "why"),
    [
        ((), "nonsense", "not name+id+key"),
        ((), KEY.key.text[:-1] + "A", "mistyped"),
        (("--key", SigningKey("other.example", b"x" * 32).key.text), KEY.key.text, "does not sign checkpoints"),
        (("--quorum", "1"), KEY.key.text, "a quorum of 1 needs as many witness keys, and none is given"),
        (("--witness", KEY.key.text), KEY.key.text, "type is not 04"),
    ],
)
def test_a_key_that_is_none(run, words, key, why):
    code, _, err = run(*words, key=key)
    assert code == 2
    assert why in err


def test_another_key_and_a_damaged_state(run, tmp_path):
    code, _, err = run(key=OTHER_KEY.key.text)
    assert code == 1
    assert "checkpoint: signed by" in err
    (tmp_path / "seen.json").write_text("{}")
    code, _, err = run()
    assert code == 1
    assert "restore it" in err
