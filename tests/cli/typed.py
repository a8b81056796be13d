"""A command as a person types it, run in this process: it starts in a moment, because all that
it imports is there already. What needs a process of its own is in `test_cli`."""

import os
import sys
from subprocess import CompletedProcess

from typer.testing import CliRunner

from ussd_gateway.cli import main

_KEPT = ("PATH", "HOME")


def run(*words: str, **environ: str) -> CompletedProcess[str]:
    """With nothing of this process's environment but what every shell has."""
    clean: dict[str, str | None] = {name: None for name in os.environ if name not in _KEPT}
    argv = sys.argv
    sys.argv = ["ussd-gateway", *words]
    try:
        with CliRunner().isolation(env=clean | environ) as (stdout, stderr, _both):
            code = _ends()
            sys.stdout.flush()
            sys.stderr.flush()
            said, told = stdout.getvalue().decode(), stderr.getvalue().decode()
    finally:
        sys.argv = argv
    return CompletedProcess(words, code, said, told)


def _ends() -> int:
    """What a shell would be told at the end; a traceback is the test's own."""
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
