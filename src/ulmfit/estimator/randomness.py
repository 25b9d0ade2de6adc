"""The caller's random numbers go on as if no model had been made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ulmfit import device as devices


@contextmanager
def kept(device: str) -> Iterator[None]:
    """torch's random state of `device` after is what it was before."""
    where = devices.pick_device(device)
    before = devices.random_state(where)
    try:
        yield
    finally:
        devices.set_random_state(where, before)
