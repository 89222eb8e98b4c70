"""A conflict tells who may see it what it conflicts with, and nobody else."""

from dataclasses import replace

import pytest

from gateway.domain.caller import DataScope
from gateway.errors import Problem
from tests.line.rig import SALESFORCE, Rig, order


async def test_a_conflict_names_no_transaction_outside_the_data_scope(rig: Rig):
    first = (await rig.send(order(), wait_s=5.0)).transaction
    for geographies, named in ((frozenset({"DE"}), None), (frozenset({"DE", "FR"}), first.transaction_id)):
        limited = replace(SALESFORCE, data_scope=DataScope(geographies=geographies))
        with pytest.raises(Problem) as caught:
            await rig.send(order(geography="DE"), caller=limited)
        assert caught.value.slug == "natural-key-conflict"
        assert caught.value.extra.get("transactionId") == named
