"""The only table of problems: slug, HTTP status, title, and what to do about it (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.api.wording import explanation_in_wire_words, in_wire_words
from gateway.errors import FieldError, Problem


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What all problems of one slug share. `remedy` is told where the problem itself names none."""

    slug: str
    status: int
    title: str
    remedy: str

    @property
    def uri(self) -> str:
        """The problem's `type`, relative to the gateway's address; it answers with an explanation."""
        return f"/problems/{self.slug}"


KINDS: Final[Mapping[str, ProblemKind]] = {
    kind.slug: kind
    for kind in (
        ProblemKind(
            "invalid-request", 400, "The request is malformed", "Mend what `errors` names and send the request again."
        ),
        ProblemKind(
            "missing-idempotency-key",
            400,
            "The request needs an idempotency key",
            "Send an Idempotency-Key header or the member idempotencyKey, the same one on every repetition.",
        ),
        ProblemKind(
            "unauthenticated",
            401,
            "The caller is not known",
            "Get a new access token from the token issuer and send it as 'Authorization: Bearer ...'.",
        ),
        ProblemKind(
            "forbidden", 403, "The token lacks a scope", "Ask for a token with one of the scopes in `requiredScopes`."
        ),
        ProblemKind(
            "out-of-scope",
            403,
            "The document lies outside the caller's data scope",
            "Use a client whose business units and geographies cover the document.",
        ),
        ProblemKind(
            "not-found",
            404,
            "There is nothing here that the caller may see",
            "Check the address and the id; what lies outside the data scope of the token is not shown.",
        ),
        ProblemKind(
            "method-not-allowed",
            405,
            "The resource does not know this method",
            "Use one of the methods in `allowedMethods`.",
        ),
        ProblemKind("request-timeout", 408, "The body took too long to arrive", "Send the whole body without pauses."),
        ProblemKind(
            "document-busy",
            409,
            "Something else is being done to the document",
            "Wait for the end of the transaction in `busyWithTransactionId`, read the document, repeat the request.",
        ),
        ProblemKind(
            "document-closed",
            409,
            "The document was undone, or never came to be",
            "Submit another document.",
        ),
        ProblemKind(
            "duplicate-master",
            409,
            "This master seems to exist already",
            "Refer to the existing master, or have it linked.",
        ),
        ProblemKind(
            "frozen",
            409,
            "Postings are frozen for this slice",
            "Send the same request again after `retryAfterS` seconds.",
        ),
        ProblemKind(
            "has-follow-ups",
            409,
            "Other documents follow this one",
            "Undo what follows from it first, the newest first.",
        ),
        ProblemKind(
            "idempotency-key-reused",
            422,
            "The idempotency key was used for another request",
            "Use a new key for a new request; repeat a request with exactly the same body.",
        ),
        ProblemKind(
            "in-flight",
            409,
            "The same request is being accepted right now",
            "Repeat the request after `retryAfterS` seconds; the answer will be the transaction as it stands.",
        ),
        ProblemKind(
            "lineage-closed",
            409,
            "The document that this one follows takes no more follow-ups",
            "Ask operations how late documents of this slice are handled.",
        ),
        ProblemKind(
            "natural-key-conflict",
            409,
            "Another document has this external id",
            "Use another external id; to correct a rejected or cancelled document, name its transaction in `replaces`.",
        ),
        ProblemKind(
            "parent-rejected",
            409,
            "The document that this one follows was rejected",
            "Correct and resubmit the parent document first.",
        ),
        ProblemKind(
            "paused",
            409,
            "New documents are paused for this slice",
            "Send the same request again after `retryAfterS` seconds.",
        ),
        ProblemKind(
            "stale",
            412,
            "The resource has changed since it was read",
            "Read it again and repeat the request with its new ETag.",
        ),
        ProblemKind("too-large", 413, "The request is too large", "Send a smaller body; split it if it is a batch."),
        ProblemKind(
            "unsupported-media-type",
            415,
            "The body is not JSON",
            "Send one of `acceptedMediaTypes` in UTF-8, not compressed.",
        ),
        ProblemKind("domain-not-served", 422, "This domain is not served", "Use a domain that the rulebook has."),
        ProblemKind(
            "invalid-document", 422, "The document is not valid", "Mend what `errors` names and send it again."
        ),
        ProblemKind(
            "lineage-spans-systems",
            422,
            "The document refers to documents in several ERPs",
            "Split it so that each part refers to documents of one system.",
        ),
        ProblemKind(
            "no-rule",
            422,
            "No rule says which ERP owns this document",
            "Tell the migration team: the rule table has a gap at these facts.",
        ),
        ProblemKind(
            "policy-check-failed",
            422,
            "A policy check refused the document",
            "See `detail` for the check and what it asks for.",
        ),
        ProblemKind(
            "rejected-by-erp",
            422,
            "The ERP refused the document",
            "Correct the document and submit it again, naming this transaction in `replaces`.",
        ),
        ProblemKind(
            "totals-disagree",
            422,
            "The amounts of the document contradict each other",
            "Mend the amount that `errors` names; nothing was posted.",
        ),
        ProblemKind(
            "unknown-node",
            422,
            "A business unit or geography is not in the rulebook",
            "Use a node id of the rulebook's trees.",
        ),
        ProblemKind(
            "unknown-reference",
            422,
            "A document that this one refers to is not known",
            "Submit the referenced document first, or correct the reference.",
        ),
        ProblemKind(
            "operation-not-served",
            422,
            "The ERP that owns the document cannot do this",
            "GET /v1/capabilities tells what each system can do; have it done in the ERP, or undo and submit again.",
        ),
        ProblemKind(
            "precondition-required",
            428,
            "The request does not say which version of the document it is about",
            "Read the document, and send its etag in If-Match or in the member ifMatch.",
        ),
        ProblemKind("rate-limited", 429, "Too many requests", "Wait `retryAfterS` seconds."),
        ProblemKind(
            "internal-error",
            500,
            "The gateway failed",
            "Repeat the request with the same keys: nothing is posted twice. Report `traceId` if it persists.",
        ),
        ProblemKind(
            "erp-unavailable",
            503,
            "The ERP cannot be reached",
            "Send the same request again after `retryAfterS` seconds.",
        ),
        ProblemKind(
            "not-ready",
            503,
            "The gateway cannot answer right now",
            "Send the same request again after `retryAfterS` seconds; with the same keys nothing is posted twice.",
        ),
    )
}
"""By slug, in the order of their statuses."""

CORE_MEMBERS: Final = frozenset(
    {"type", "title", "status", "detail", "instance", "code", "remedy", "errors", "traceId", "retryAfterS"}
    | {"rateLimit", "deprecation", "preferenceApplied", "traceState"}
)
"""Members that no extension may overwrite: of every problem, and what stands in headers as well."""


def problem_body(problem: Problem, instance: str, trace_id: str) -> dict[str, Any]:
    """The problem document. A slug that is not in the table raises KeyError: a defect of ours."""
    kind = KINDS[problem.slug]
    remedy = in_wire_words(problem.remedy) or kind.remedy
    body: dict[str, Any] = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": _detail(problem),
        "instance": instance,
        "code": kind.slug,
        "remedy": remedy,
        "errors": with_remedies([_field_error(error) for error in problem.errors], remedy),
        "traceId": trace_id,
        "retryAfterS": problem.retry_after_s,
    }
    body.update((name, value) for name, value in problem.extra.items() if name not in CORE_MEMBERS)
    if isinstance(explanation := body.get("explanation"), Mapping):
        body["explanation"] = explanation_in_wire_words(explanation)
    return body


def _detail(problem: Problem) -> str:
    """In wire words, but for the member that it begins with: that is spelt as the caller spelt it."""
    named = problem.errors[0].field if problem.errors else ""
    if not named or not problem.detail.startswith(named):
        return in_wire_words(problem.detail)
    return named + in_wire_words(problem.detail[len(named) :])


def _field_error(error: FieldError) -> dict[str, str]:
    return {
        "field": error.field,
        "message": in_wire_words(error.message),
        "remedy": in_wire_words(error.remedy),
    }


def with_remedies(errors: Iterable[Mapping[str, Any]], otherwise: str) -> list[dict[str, Any]]:
    """The same field errors, each with a remedy: its own, or that of the problem."""
    return [{**one, "remedy": one.get("remedy") or otherwise} for one in errors]


def malformed(field: str, message: str, remedy: str) -> Problem:
    """`invalid-request` about one header, parameter or member."""
    where = f"{field}: " if field else ""
    return Problem("invalid-request", f"{where}{message}", errors=(FieldError(field, message, remedy),))


def not_found(what: str) -> Problem:
    """`not-found`, the same whether the thing does not exist or is not the caller's to see."""
    return Problem("not-found", f"There is no {what} with this id that you may see.")
