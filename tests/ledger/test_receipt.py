import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.cosignature import WitnessPolicy, cosign
from gateway.ledger.errors import LedgerError, Malformed, NoteUnsigned, ProofInvalid
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.receipt import MAX_RECEIPT_BYTES, Receipt, parse_receipt, receipt_for, verify_receipt
from gateway.ledger.tile_nodes import TileNodes
from tests.ledger.logs import LOG, OTHER_KEY, publish_all
from tests.ledger.memory_tiles import MemoryTiles
from tests.ledger.naive import entry
from tests.ledger.test_cosignature import TIME, W1

SIZE = 700
TILES = MemoryTiles()
publish_all(TILES, [SIZE])
SIGNED = LOG.open_checkpoint(TILES.files["checkpoint"])
NOBODY = WitnessPolicy()


def _receipt(index):
    return receipt_for(TileNodes(TILES, SIZE), index, entry(index), SIGNED)


@pytest.mark.parametrize("index", [0, 255, 256, 511, 699])
def test_a_receipt_is_all_that_is_needed_to_check_an_entry(index):
    proven = verify_receipt(parse_receipt(bytes(_receipt(index))), entry(index), LOG, NOBODY)
    assert (proven.index, proven.signed.checkpoint) == (index, SIGNED.checkpoint)


def test_the_file_is_as_the_specification_says():
    lines = bytes(_receipt(699)).decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 699"]
    blank = lines.index("")
    assert all(len(line) == 44 for line in lines[2:blank])
    assert "\n".join(lines[blank + 1 :]).encode() == bytes(SIGNED.note)


def test_a_log_of_one_entry_needs_no_hashes():
    tiles = MemoryTiles()
    publish_all(tiles, [1])
    receipt = receipt_for(TileNodes(tiles, 1), 0, entry(0), LOG.open_checkpoint(tiles.files["checkpoint"]))
    assert receipt.proof == ()
    verify_receipt(parse_receipt(bytes(receipt)), entry(0), LOG, NOBODY)


def test_another_entry_or_place_is_not_proven():
    receipt = _receipt(5)
    with pytest.raises(ProofInvalid):
        verify_receipt(receipt, entry(6), LOG, NOBODY)
    with pytest.raises(ProofInvalid):
        verify_receipt(Receipt(4, receipt.proof, receipt.checkpoint), entry(5), LOG, NOBODY)
    with pytest.raises(ProofInvalid):
        verify_receipt(Receipt(SIZE, receipt.proof, receipt.checkpoint), entry(5), LOG, NOBODY)


def test_another_logs_receipt_is_not_believed():
    tiles = MemoryTiles()
    publish_all(tiles, [SIZE], key=OTHER_KEY)
    signed = LogKeys.pinned(OTHER_KEY.key).open_checkpoint(tiles.files["checkpoint"])
    receipt = receipt_for(TileNodes(tiles, SIZE), 5, entry(5), signed)
    with pytest.raises(NoteUnsigned):
        verify_receipt(receipt, entry(5), LOG, NOBODY)


def test_witnesses_that_are_wanted_must_have_cosigned():
    policy, receipt = WitnessPolicy((W1.key,), 1), _receipt(5)
    with pytest.raises(NoteUnsigned):
        verify_receipt(receipt, entry(5), LOG, policy)
    note = SIGNED.note.with_signatures([cosign(W1, SIGNED.checkpoint.text, TIME)])
    proven = verify_receipt(Receipt(5, receipt.proof, bytes(note)), entry(5), LOG, policy)
    assert [one.time for one in proven.cosignatures] == [TIME]


@given(data=st.data())
def test_no_single_byte_of_a_receipt_can_change(data):
    whole = bytes(_receipt(300))
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] = data.draw(st.integers(0, 255).filter(lambda one: one != whole[at]))
    with pytest.raises(LedgerError):
        verify_receipt(parse_receipt(bytes(changed)), entry(300), LOG, NOBODY)


def test_extra_data_are_read_and_vouched_for_by_nobody():
    receipt = _receipt(5)
    whole = Receipt(5, receipt.proof, receipt.checkpoint, b"anything")
    assert bytes(whole).startswith(b"c2sp.org/tlog-proof@v1\nextra YW55dGhpbmc=\nindex 5\n")
    assert parse_receipt(bytes(whole)) == whole
    assert parse_receipt(bytes(Receipt(5, (), b"c", b""))).extra == b""


HEAD = b"c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        HEAD + b"\ncheckpoint\n",
        HEAD + b"index 5\n",
        HEAD + b"index 05\n\nc\n",
        HEAD + b"index -1\n\nc\n",
        HEAD + b"Index 5\n\nc\n",
        HEAD + b"index 5\nextra AAAA\n\nc\n",
        HEAD + b"extra A\nindex 5\n\nc\n",
        HEAD + b"extra AAAA\nextra AAAA\nindex 5\n\nc\n",
        HEAD + b"extra " + b"AAAA" * 21_846 + b"\nindex 5\n\nc\n",
        HEAD + b"index 5\nAAAA\n\nc\n",
        HEAD + b"index 5\n" + b"A" * 43 + b"=\n" * 64 + b"\nc\n",
        HEAD.replace(b"v1", b"v2") + b"index 5\n\nc\n",
        HEAD + "index 5\n\u00e9\n\nc\n".encode(),
        b"x" * (MAX_RECEIPT_BYTES + 1),
    ],
)
def test_what_is_no_receipt(data):
    with pytest.raises(Malformed, match="receipt"):
        parse_receipt(data)


def test_no_receipt_is_made_that_does_not_verify():
    nodes = TileNodes(TILES, SIZE)
    with pytest.raises(ProofInvalid):
        receipt_for(nodes, 5, entry(6), SIGNED)
    with pytest.raises(ProofInvalid):
        receipt_for(nodes, SIZE, entry(SIZE), SIGNED)
    altered = MemoryTiles(TILES.files | {"tile/0/001": TILES.files["tile/0/000"]})
    with pytest.raises(ProofInvalid):
        receipt_for(TileNodes(altered, SIZE), 256, entry(256), SIGNED)
