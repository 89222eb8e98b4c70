"""Every benchmark, one after the other: `make bench`. Each writes its table to benchmarks/results/."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "benchmarks.store_write",
    "benchmarks.http_submit",
    "benchmarks.rules_decide",
    "benchmarks.rules_simulate",
    "benchmarks.ledger_sequence",
    "benchmarks.ledger_queries",
    "benchmarks.isolation",
)


def main() -> int:
    """Run them in processes of their own; 1 if one of them failed."""
    failed = [name for name in BENCHMARKS if subprocess.run([sys.executable, "-m", name], check=False).returncode]
    for name in failed:
        sys.stderr.write(f"{name} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
