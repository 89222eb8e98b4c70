"""What tests of operations ask again and again."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from gateway.domain.transaction import Status
from gateway.errors import Problem
from tests.line.rig import Rig, order


async def refused(call: Awaitable[Any]) -> Problem:
    """The problem with which a call is refused."""
    with pytest.raises(Problem) as caught:
        await call
    return caught.value


async def posted(rig: Rig, body: dict[str, Any] | None = None, domain: str = "orders") -> str:
    """The id of a document that stands in its ERP."""
    answer = await rig.send(body or order(), domain, wait_s=5.0)
    assert answer.transaction.status is Status.POSTED
    return answer.transaction.document_id
