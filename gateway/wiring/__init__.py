"""Settings become a running gateway here, and nowhere else."""

from gateway.wiring.runtime import RulebookRefused, Runtime, open_runtime

__all__ = ["RulebookRefused", "Runtime", "open_runtime"]
