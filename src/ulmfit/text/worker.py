"""A process that works on the chunks that its parent gives it (`parallel.py`)."""

import os
import pickle
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Read a job and then chunks from stdin until it ends; write an answer for each to stdout."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed is no answer
    warnings.simplefilter("ignore")  # what there is to be told of this machine, the parent tells
    try:
        work, tool = pickle.load(requests)
        while True:
            answer = _answer(work, tool, pickle.load(requests))
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
    except EOFError:
        pass
    except BrokenPipeError:  # the parent has gone
        os._exit(1)


def _answer(
    work: Callable[[Any, list[str]], Any], tool: object, chunk: list[str]
) -> tuple[bool, Any]:
    """Whether it succeeded, and the result or what was raised."""
    try:
        return True, work(tool, chunk)
    except Exception as error:
        error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        return False, error
