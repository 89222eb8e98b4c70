"""Clients made from a document by tools that are not ours, at the time of the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.node.installation import NodeTools

HERE = Path(__file__).parent
PACKAGE = "erp_api"
_LIMIT_S = 400.0
_DEFAULTS = ("--default-non-nullable", "false")
"""A member that has a default may be left out of a request."""


_CONFIGURATION = """\
post_hooks: []
content_type_overrides:
  application/zip: application/octet-stream
  application/x-ndjson: application/octet-stream
"""
"""Packs and lines are handed over as bytes; the generator has no words of its own for them."""


def python_package(document: Path, folder: Path) -> None:
    """The package `erp_api` in the folder. Raises AssertionError if the generator left anything out."""
    configuration = folder / "generator.yaml"
    configuration.write_text(_CONFIGURATION, encoding="utf-8")
    _run(
        Path(sys.executable).with_name("openapi-python-client"),
        *("generate", "--path", document, "--output-path", folder / PACKAGE, "--meta", "none"),
        *("--config", configuration, "--fail-on-warning"),
    )
    (folder / PACKAGE / "py.typed").touch()


def check_types(script: Path, folder: Path) -> None:
    """Strict types of a script that uses the package. Raises AssertionError with the complaints."""
    _run(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--follow-imports", "silent"),
        *("--cache-dir", folder / "mypy", script),
        MYPYPATH=str(folder),
    )


def typescript_program(document: Path, folder: Path, tools: NodeTools) -> Path:
    """`client.ts` of this folder, compiled with the types of the document; the path of the program.

    Raises AssertionError with the complaints of the generator or the compiler.
    """
    for name in ("client.ts", "tsconfig.json", "package.json"):
        (folder / name).write_bytes((HERE / "typescript" / name).read_bytes())
    (folder / "node_modules").symlink_to(tools.modules)
    made = tools.run(
        "openapi-typescript/bin/cli.js", document, "--output", folder / "schema.d.ts", *_DEFAULTS, cwd=folder
    )
    assert made.returncode == 0, made.stdout + made.stderr
    compiled = tools.run("typescript/bin/tsc", "--project", folder / "tsconfig.json", cwd=folder)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    return folder / "client.js"


def _run(*command: str | Path, **environment: str) -> None:
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=_LIMIT_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
