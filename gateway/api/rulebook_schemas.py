"""The shapes of what came into force, in answers."""

from __future__ import annotations

from gateway.api.answer_model import Answered, AnswerModel
from gateway.api.draft_schemas import FileText, RuleVersions


class RulebookSummary(AnswerModel):
    """What came into force. `activated_by`: the client. `draft_id`: null for the first one, and where a slice went
    back; `rolled_back_slice` then."""

    activation_number: int
    in_force: bool
    rule: RuleVersions
    activated_at: str
    activated_by: str
    draft_id: str | None
    rolled_back_slice: str | None


class RulebookPage(Answered):
    """What came into force, newest first."""

    items: list[RulebookSummary]
    next_cursor: str | None


class RulebookAnswer(RulebookSummary, Answered):
    """The texts that the versions hash (RFC 8785), and files that give them: those of the draft; where there was none,
    made of the texts, which hold neither comments nor examples."""

    rules_text: str
    governance_text: str
    files: list[FileText]
