"""The journey on a client that openapi-python-client generated as the package `erp_api`: a process of its own.

It reads right whether the package was made from the full document, which enumerates the statuses, or from the flat one.

`python python_client.py ADDRESS SALES_TOKEN BILLING_TOKEN < journey.json > met.json`
"""

from __future__ import annotations

import json
import sys
from typing import Any

from erp_api.api.capabilities import get_capabilities
from erp_api.api.contracts import create_contract
from erp_api.api.customers import create_customer
from erp_api.api.invoices import create_invoice
from erp_api.api.journal_entries import create_journal_entry, reverse_journal_entry
from erp_api.api.lineages import get_lineage
from erp_api.api.orders import cancel_order, change_order, create_order, get_order, list_orders
from erp_api.api.payments import create_payment, reverse_payment
from erp_api.api.problems import get_problem_type
from erp_api.api.products import create_product
from erp_api.api.transactions import get_transaction, get_transaction_trace
from erp_api.client import AuthenticatedClient
from erp_api.models import (
    CancellationRequest,
    CapabilitiesAnswer,
    ContractRequest,
    CustomerRequest,
    DocumentPage,
    GetProblemTypeSlug,
    InvoiceRequest,
    JournalEntryRequest,
    LineageAnswer,
    OrderAnswer,
    OrderChange,
    OrderRequest,
    PaymentRequest,
    ProblemDocument,
    ProblemKindAnswer,
    ProductRequest,
    ReversalRequest,
    TraceAnswer,
    TransactionAnswer,
)
from erp_api.types import Response

Answer = Response[ProblemDocument | TransactionAnswer]
Body = dict[str, Any]


class Journey:
    """`met` is what the client met, by step."""

    def __init__(self, address: str, sales_token: str, billing_token: str, given: Body) -> None:
        self.sales = AuthenticatedClient(base_url=address, token=sales_token, raise_on_unexpected_status=True)
        self.billing = AuthenticatedClient(base_url=address, token=billing_token, raise_on_unexpected_status=True)
        self.stranger = AuthenticatedClient(base_url=address, token="none", raise_on_unexpected_status=True)
        self.given = given
        self.met: dict[str, list[Any]] = {}

    def run(self) -> None:
        """Everything, in order."""
        self.masters()
        for side in ("legacy", "cloud"):
            self.lineage_of(side, self.given[side])
        self.refusals()
        self.changes()
        self.undoings()
        self.readings()

    def masters(self) -> None:
        """Customers and products."""
        answers: list[Answer] = [
            *(
                create_customer.sync_detailed(client=self.sales, body=CustomerRequest.from_dict(one))
                for one in self.given["masters"]["customers"]
            ),
            *(
                create_product.sync_detailed(client=self.sales, body=ProductRequest.from_dict(one))
                for one in self.given["masters"]["products"]
            ),
        ]
        self.met["masters"] = sorted({str(accepted(one).status) for one in answers})

    def lineage_of(self, side: str, lineage: Body) -> None:
        """Order, invoice, payment."""
        answers: dict[str, Answer] = {
            "order": create_order.sync_detailed(client=self.sales, body=OrderRequest.from_dict(lineage["order"])),
            "invoice": create_invoice.sync_detailed(
                client=self.billing, body=InvoiceRequest.from_dict(lineage["invoice"])
            ),
            "payment": create_payment.sync_detailed(
                client=self.billing, body=PaymentRequest.from_dict(lineage["payment"])
            ),
        }
        for name, answer in answers.items():
            found = accepted(answer)
            assert found.routed_to is not None
            self.met[f"{side} {name}"] = [answer.status_code, str(found.status), found.routed_to.system_id]
        self.order, self.payment = accepted(answers["order"]), accepted(answers["payment"])

    def refusals(self) -> None:
        """What repeats, conflicts, disagrees, or comes from nobody."""
        order: Body = self.given["cloud"]["order"]
        again = create_order.sync_detailed(client=self.sales, body=OrderRequest.from_dict(order))
        found = accepted(again)
        same = "the same transaction" if found.transaction_id == self.order.transaction_id else "another transaction"
        replayed = "replayed" if found.replayed else "not replayed"
        self.met["the same request again"] = [again.status_code, str(found.status), replayed, same]
        other = {**order, "postingDate": "1996-07-06"}
        self.met["the key of another request"] = refused(
            create_order.sync_detailed(client=self.sales, body=OrderRequest.from_dict(other))
        )
        other_key = {**other, "idempotencyKey": f"{order['idempotencyKey']}-2"}
        self.met["the external id of another document"] = refused(
            create_order.sync_detailed(client=self.sales, body=OrderRequest.from_dict(other_key))
        )
        wrong = create_order.sync_detailed(client=self.sales, body=OrderRequest.from_dict(self.given["disagreeing"]))
        problem = wrong.parsed
        assert isinstance(problem, ProblemDocument)
        self.met["sums that disagree"] = [*refused(wrong), problem.errors[0].field]
        meaning = get_problem_type.sync(client=self.sales, slug=GetProblemTypeSlug(problem.code))
        assert isinstance(meaning, ProblemKindAnswer)
        self.met["what a problem means"] = [meaning.status, meaning.code]
        self.met["an unknown caller"] = refused(
            create_order.sync_detailed(client=self.stranger, body=OrderRequest.from_dict(order))
        )

    def changes(self) -> None:
        """Read, change with the ETag that the body gave, call off."""
        created = accepted(
            create_order.sync_detailed(client=self.sales, body=OrderRequest.from_dict(self.given["later"]))
        )
        before = self.read_order(created.document_id)
        self.met["read"] = [str(before.content_state), str(before.status), before.version, before.etag]
        change: Body = {**self.given["change"], "ifMatch": before.etag}
        answer = change_order.sync_detailed(created.document_id, client=self.sales, body=OrderChange.from_dict(change))
        after = self.read_order(created.document_id)
        self.met["changed with the ETag of the body"] = [
            answer.status_code,
            str(accepted(answer).status),
            after.version,
        ]
        late = {**change, "requestedDeliveryDate": "1996-09-30", "idempotencyKey": f"{change['idempotencyKey']}-2"}
        self.met["changed with an old ETag"] = refused(
            change_order.sync_detailed(created.document_id, client=self.sales, body=OrderChange.from_dict(late))
        )
        cancellation = {"reason": "Ordered twice", "ifMatch": after.etag, "idempotencyKey": created.document_id}
        cancelled = cancel_order.sync_detailed(
            created.document_id, client=self.sales, body=CancellationRequest.from_dict(cancellation)
        )
        self.met["called off"] = [
            cancelled.status_code,
            str(accepted(cancelled).status),
            str(self.read_order(created.document_id).state),
        ]

    def undoings(self) -> None:
        """A contract; a journal entry, a payment, and their reversals; a credit note."""
        contract = create_contract.sync_detailed(
            client=self.sales, body=ContractRequest.from_dict(self.given["contract"])
        )
        self.met["contract"] = [contract.status_code, str(accepted(contract).status)]
        entry = create_journal_entry.sync_detailed(
            client=self.billing, body=JournalEntryRequest.from_dict(self.given["journalEntry"])
        )
        self.met["journal entry"] = [entry.status_code, str(accepted(entry).status)]
        reversed_entry = reverse_journal_entry.sync_detailed(
            accepted(entry).document_id, client=self.billing, body=self.reversal(accepted(entry).document_id)
        )
        self.met["journal entry reversed"] = [reversed_entry.status_code, str(accepted(reversed_entry).status)]
        reversed_payment = reverse_payment.sync_detailed(
            self.payment.document_id, client=self.billing, body=self.reversal(self.payment.document_id)
        )
        self.met["payment reversed"] = [reversed_payment.status_code, str(accepted(reversed_payment).status)]
        credit = create_invoice.sync_detailed(
            client=self.billing, body=InvoiceRequest.from_dict(self.given["creditNote"])
        )
        self.met["credit note"] = [credit.status_code, str(accepted(credit).status)]

    def readings(self) -> None:
        """Lists page by page, the transaction, its trace, the lineage, and what the systems can."""
        listed, pages, cursor = list[str](), 0, ""
        while True:
            page = (
                list_orders.sync(client=self.sales, page_size=1, cursor=cursor)
                if cursor
                else list_orders.sync(client=self.sales, page_size=1)
            )
            assert isinstance(page, DocumentPage)
            listed += [str(one.external_id) for one in page.items]
            pages += 1
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        wanted = {self.given[one]["order"]["externalId"] for one in ("legacy", "cloud")}
        self.met["listed by cursor"] = [
            "all orders" if wanted <= set(listed) else "not all orders",
            "each once" if len(listed) == len(set(listed)) else "some twice",
            "several pages" if pages > 1 else "one page",
        ]
        transaction = get_transaction.sync(self.order.transaction_id, client=self.sales)
        assert isinstance(transaction, TransactionAnswer)
        self.met["transaction"] = [str(transaction.status)]
        trace = get_transaction_trace.sync(self.order.transaction_id, client=self.sales)
        assert isinstance(trace, TraceAnswer)
        self.met["trace"] = [
            one.kind for one in trace.entries if one.kind in {"accepted", "routed", "dispatched", "posted"}
        ]
        lineage = get_lineage.sync(self.order.lineage_id, client=self.sales)
        assert isinstance(lineage, LineageAnswer)
        assert lineage.pin is not None
        self.met["lineage"] = [len(lineage.documents), lineage.pin.system_id]
        report = get_capabilities.sync(client=self.sales)
        assert isinstance(report, CapabilitiesAnswer)
        self.met["capabilities"] = sorted(one.system_id for one in report.systems)

    def read_order(self, document_id: str) -> OrderAnswer:
        """The order as it stands."""
        found = get_order.sync(document_id, client=self.sales)
        assert isinstance(found, OrderAnswer)
        return found

    def reversal(self, document_id: str) -> ReversalRequest:
        """With a key of its own."""
        return ReversalRequest.from_dict({"reason": "Billed twice", "idempotencyKey": f"{document_id}-reversal"})


def accepted(answer: Answer) -> TransactionAnswer:
    """The transaction."""
    assert isinstance(answer.parsed, TransactionAnswer), answer.content
    return answer.parsed


def refused(answer: Answer) -> list[Any]:
    """Status and code of the problem."""
    problem = answer.parsed
    assert isinstance(problem, ProblemDocument), answer.content
    assert problem.status == answer.status_code
    assert problem.remedy
    return [problem.status, problem.code]


if __name__ == "__main__":
    travelled = Journey(sys.argv[1], sys.argv[2], sys.argv[3], json.load(sys.stdin))
    try:
        travelled.run()
    finally:
        json.dump(travelled.met, sys.stdout)
