"""Run one function after another in a worker process, until its input ends.

Requests and answers are pickles on standard input and output; whatever the work prints goes to standard error, which
the engine keeps as the worker's log.
"""

import importlib
import logging
import os
import pickle
import sys
from typing import Any, BinaryIO

from personalize_local.engine.api import EngineError
from personalize_local.engine.processes.child_processes import end_with_parent

_NICENESS = 5  # the control plane answers first


def main() -> None:
    """Serve requests until the engine goes away, be it in the middle of one."""
    end_with_parent(int(sys.argv[1]))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.nice(_NICENESS)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    while serve(sys.stdin.buffer, answers):
        pass


def serve(requests: BinaryIO, answers: BinaryIO) -> bool:
    """Answer one request with (True, result) or (False, reason); return whether there was one."""
    try:
        function, arguments = pickle.load(requests)  # noqa: S301 - the engine, our parent, is at the other end
    except EOFError:
        return False
    outcome = _outcome(function, arguments)
    sys.stdout.flush()  # what the work printed is in the log before anybody hears that it is done
    answers.write(outcome)
    answers.flush()
    return True


def _outcome(function: str, arguments: tuple[Any, ...]) -> bytes:
    module, name = function.split(":")
    try:
        return pickle.dumps((True, getattr(importlib.import_module(module), name)(*arguments)))
    except EngineError as error:
        return pickle.dumps((False, str(error)))
    except Exception as error:  # whatever went wrong in a job fails that job, with its reason
        logging.getLogger("personalize_local.engine.processes.worker_process").exception("%s failed", function)
        return pickle.dumps((False, f"An internal error occurred: {type(error).__name__}: {error}"))


if __name__ == "__main__":
    main()
