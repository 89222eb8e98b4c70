"""What was done to a document is read by the versions it was done to, whatever ids two processes drew."""

from __future__ import annotations

from gateway.ledger.state.compare import document_findings
from gateway.ledger.state.told import Told
from tests.store.made import a_document, a_transaction


def test_a_reversal_with_an_older_id_than_the_creation_still_comes_after_it() -> None:
    create = a_transaction(transaction_id="txn_2", document_id="doc_1", operation="create", status="posted")
    reverse = a_transaction(transaction_id="txn_1", document_id="doc_1", operation="reverse", status="posted")
    told = {
        "txn_2": Told("txn_2", status="posted", accepted={"operation": "create"}),
        "txn_1": Told("txn_1", status="posted", accepted={"operation": "reverse", "documentVersion": 1}),
    }
    document = a_document(document_id="doc_1", transaction_id="txn_2", state="reversed", version=2)
    said = [one for one in document_findings(document, [reverse, create], told) if one.what in {"state", "version"}]
    assert said == []
    altered = a_document(document_id="doc_1", transaction_id="txn_2", state="active", version=2)
    found = document_findings(altered, [reverse, create], told)
    assert [one.what for one in found if one.what in {"state", "version"}] == ["state"]
