"""A process that has imported everything and forks one sitting of `lifecode train` after another.

Importing takes longer than a tiny run. A request is a line of JSON on stdin, its answer a line on stdout.
"""

import json
import os
import resource
import sys
import traceback
from typing import Any

import lifecode.verbs.train.train  # noqa: F401
from lifecode.app.main import main
from tests.soak.faults import inject


def serve() -> None:
    """Answers until stdin ends: `start` with the process id, `poll` with the exit code or null."""
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            answer = _start(request["start"])
        else:
            done, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if done else None
        print(json.dumps(answer), flush=True)


def _start(sitting: dict[str, Any]) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        for number, name in enumerate((os.devnull, sitting["stdout"], sitting["stderr"])):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
        os.chdir(sitting["folder"])
        if (limit := sitting["file_bytes"]) is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        inject(sitting["faults"])
        sys.argv = ["lifecode", *sitting["arguments"]]
        code = main(sitting["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
