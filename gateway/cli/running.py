"""Commands that wait: an event loop for them, and what their errors tell people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from adapters.errors import ErpError
from gateway.cli.console import Failure
from gateway.errors import GatewayError
from gateway.settings import SettingsError
from gateway.wiring.refusals import RulebookRefused
from routing_rules.complaints import RulebookInvalid

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Run to the end; whatever people can mend becomes a Failure. `loop`: another event loop than asyncio's own."""
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(work)
    except (RulebookInvalid, RulebookRefused) as error:
        listed = "\n".join(f"  {complaint}" for complaint in error.complaints)
        raise Failure(f"the rulebook cannot be used:\n{listed}", 2) from error
    except SettingsError as error:
        raise Failure(str(error), 2) from error
    except (GatewayError, ErpError) as error:
        raise Failure(str(error)) from error
