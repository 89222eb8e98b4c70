"""What a demo remembers, as tests need it that start the demo's parts one by one."""

from __future__ import annotations

from dataclasses import replace

from gateway.demo.places import Memory, Places
from tests.ports import reserved_port


def demo_memory(places: Places) -> Memory:
    """A fresh memory, on ports that are the test's own: the gateway starts long after the ports were chosen."""
    memory = Memory.recall(places.memory, gateway_port=reserved_port())
    memory = replace(memory, legacy_port=reserved_port(), cloud_port=reserved_port())
    memory.keep(places.memory)
    return memory
