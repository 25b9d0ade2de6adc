"""What a training process tells: one JSON object a line, its warnings among them."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from typing import Any

BEAT = "beat"  # a sign of life; the supervisor keeps these to itself
BEAT_SECONDS = 2.0

_beaten = 0.0


def say(event: str, **figures: Any) -> None:
    """One line of JSON."""
    print(json.dumps({"event": event, **figures}), flush=True)


def beat() -> None:
    """A sign of life, not more often than every `BEAT_SECONDS`."""
    global _beaten
    if time.monotonic() - _beaten >= BEAT_SECONDS:
        _beaten = time.monotonic()
        say(BEAT)


def tell_warnings(heed: Callable[[type[Warning]], None]) -> None:
    """Make each warning an event from here on, and give its kind to `heed`."""

    def told(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        say("warning", kind=category.__name__, text=str(message))
        heed(category)

    warnings.showwarning = told
