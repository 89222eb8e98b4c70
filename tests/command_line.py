"""`erp-gateway` as people call it: each call in a process of its own, forked from one that has imported all commands.

The imports cost a second of a processor or more, which is more than most commands do, and the tests give some hundred
commands. A call has its own arguments, environment, output and exit code, and nothing it does reaches the next one.
That the installed script leads to the same `main` is shown wherever a gateway serves: those are started by the script.
Source: https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods (forkserver).
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import gateway.cli
from gateway.cli import main

LIMIT_S: Final = 60.0

_forked: Final = multiprocessing.get_context("forkserver")
_forked.set_forkserver_preload(
    sorted(f"gateway.cli.{one.stem}" for one in Path(gateway.cli.__file__).parent.glob("[a-z]*.py"))
)


def erp_gateway(
    *arguments: object, environment: Mapping[str, str] | None = None, limit_s: float = LIMIT_S
) -> subprocess.CompletedProcess[str]:
    """The command's exit code and all that it printed; nobody types anything into it. `environment` comes on top of
    this process's own. Raises subprocess.TimeoutExpired after `limit_s` seconds."""
    words = [str(word) for word in arguments]
    with tempfile.TemporaryDirectory() as directory:
        out, err = (Path(directory) / name for name in ("out", "err"))
        process = _forked.Process(
            target=_run, args=(words, os.environ | (environment or {}), str(Path.cwd()), str(out), str(err))
        )
        process.start()
        process.join(limit_s)
        late = process.is_alive()
        if late:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        if late:
            raise subprocess.TimeoutExpired(words, limit_s)
        assert code is not None
        return subprocess.CompletedProcess(words, code, out.read_text("utf-8"), err.read_text("utf-8"))


def _run(words: list[str], environment: dict[str, str], directory: str, out: str, err: str) -> None:
    """In the forked process, which ends with this."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for path, number in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["erp-gateway", *words]
    main()
