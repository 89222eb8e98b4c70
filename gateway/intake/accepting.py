"""Accepting many, so that one that fails unexpectedly does not hold up the others."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.api.failures import problem_of
from gateway.errors import Problem, StoreUnavailable
from gateway.transactions.commands import Answer, Create, Submissions
from gateway.transactions.rules import RulesNotLoaded


async def accept_each(submissions: Submissions, commands: Sequence[Create]) -> list[Answer | Problem]:
    """Answer i is that of command i. What fails on its own (a defect of ours) is a Problem in its place.

    Raises StoreUnavailable, RulesNotLoaded: nobody's fault; what came before may be on record.
    """
    if not commands:
        return []
    try:
        return await submissions.accept_many(commands)
    except (StoreUnavailable, RulesNotLoaded):
        raise
    except Exception as error:
        # whichever it was: alone, each can only fail itself
        if len(commands) == 1:
            return [problem_of(error)]
    half = len(commands) // 2
    return [*await accept_each(submissions, commands[:half]), *await accept_each(submissions, commands[half:])]
