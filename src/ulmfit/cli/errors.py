"""What a user is told when a command cannot end well, and the exit code: the one place for both.

0: done. 2: the call or the input is wrong. 1: it failed, or was interrupted. A traceback is shown
only where the variable ULMFIT_DEBUG is set.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from ulmfit.errors import InputError

DONE, FAILED, WRONG = 0, 1, 2
DEBUG = "ULMFIT_DEBUG"
TYPER_INTERRUPT = 130  # what typer turns a Ctrl-C into


class Interrupted(Exception):
    """Ctrl-C, with how to go on."""


class Failed(Exception):
    """Something outside of the user's input went wrong; the message says what and where."""


@contextmanager
def making(out: str, run: Path | None = None, *, again: bool = False) -> Iterator[None]:
    """Tell, of an interrupt or a failure inside, what was being made and how to go on.

    Args:
        out: the file or folder that is being made.
        run: the folder of its run, if it has one.
        again: the same command goes on where it was stopped.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {_way_on(out, run, again)}") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "" if error.filename else f" while making {out}"
        raise Failed(f"{_os_error(error)}{where}; {_way_on(out, run, again)}") from error


def _way_on(out: str, run: Path | None, again: bool) -> str:
    if again and Path(out).is_dir():
        return "to go on: the same command again"
    if run is not None and (run / "run.json").is_file():
        return f"to go on: ulmfit resume {run}"
    return f"{out} was not written"


def _os_error(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {what}" if error.filename else what


def guard(command: Callable[[], object], as_json: bool) -> int:
    """Run `command`, tell what went wrong, if anything did, and return the exit code."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (`head`) has seen enough
        _drop_output()
        return FAILED
    except typer.TyperException as error:
        _show_usage(error)
        return _told(error.format_message().splitlines()[0], error.exit_code, as_json)
    except (Exception, KeyboardInterrupt) as error:
        message, exit_code = _explained(error)
        print(f"ulmfit: {message}", file=sys.stderr, flush=True)
        if os.environ.get(DEBUG):
            traceback.print_exception(error)
        return _told(message, exit_code, as_json)
    if code == TYPER_INTERRUPT:
        print("ulmfit: interrupted", file=sys.stderr)
        return _told("interrupted", FAILED, as_json)
    return code if isinstance(code, int) else DONE


def _show_usage(error: typer.TyperException) -> None:
    show = getattr(error, "show", None)
    if callable(show):
        show(file=sys.stderr)
    else:
        print(f"ulmfit: {error.format_message()}", file=sys.stderr)


def _explained(error: BaseException) -> tuple[str, int]:
    """What to say, and the exit code."""
    if isinstance(error, InputError):
        return str(error), WRONG
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", FAILED
    if isinstance(error, OSError):
        return _os_error(error), FAILED
    if isinstance(error, MemoryError):
        return "not enough memory", FAILED
    if isinstance(error, Interrupted | Failed) or _is_download_error(error):
        return str(error), FAILED
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"internal error: {what} (set {DEBUG}=1 to see the traceback)", FAILED


def _is_download_error(error: BaseException) -> bool:
    from ulmfit.data.download import DownloadError

    return isinstance(error, DownloadError)


def _told(message: str, code: int, as_json: bool) -> int:
    if as_json and code != DONE:
        with suppress(OSError):
            print(json.dumps({"error": message}), flush=True)
    return code


def _drop_output() -> None:
    """Let the interpreter's last flush go nowhere instead of failing."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
