"""What the record keeps of a document beside its body: what lists and filters ask for."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.canonical import BusinessDocument, CanonicalDocument


@dataclass(frozen=True, slots=True)
class Head:
    """Canonical texts; None is what the document does not have. `posting_date`: ISO."""

    company_code: str | None
    document_type: str | None
    currency_code: str | None
    amount: str | None
    posting_date: str | None


def head_of(document: CanonicalDocument) -> Head:
    """The head of a document; a master has a company code at most."""
    if not isinstance(document, BusinessDocument):
        return Head(document.company_code, None, None, None, None)
    return Head(
        document.company_code,
        document.document_type,
        document.currency_code,
        format(document.amount, "f"),
        document.posting_date.isoformat(),
    )
