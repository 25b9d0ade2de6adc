"""Commands that learn as `ulmfit train` does: they take its options, and add their own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection

from ulmfit.cli import training

FOREMOST = ("data", "out")  # arguments and options that come first in the help
LAST = ("overwrite", "json")
NOT_SHARED = ("test", "report", "track", "teacher", "pseudo_labels", "align")


def like_train(
    leave: Collection[str] = NOT_SHARED,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `ulmfit train`: it gets them by name in its `**train`.

    Args:
        leave: the options that make no sense here.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = _parameters(command)
        shared = {n: p for n, p in _parameters(training.train).items() if n not in {*leave, *own}}
        every = {**shared, **own}
        order = [
            *(name for name in FOREMOST if name in every),
            *(name for name in own if name not in (*FOREMOST, *LAST)),
            *(name for name in shared if name not in (*FOREMOST, *LAST)),
            *(name for name in LAST if name in every),
        ]

        @functools.wraps(command)
        def called(**given: object) -> None:
            command(**given)

        parameters = [every[name] for name in order]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {name: every[name].annotation for name in order}
        return called

    return decorate


def _parameters(command: Callable[..., None]) -> dict[str, inspect.Parameter]:
    """Those that have a name, as keywords, their annotations looked up."""
    return {
        name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command, eval_str=True).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
