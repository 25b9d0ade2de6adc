"""The compiled code of this folder."""

import ctypes
from pathlib import Path

from ulmfit import compiled

SOURCE = Path(__file__).with_name("lstm.c")


def library() -> ctypes.CDLL:
    """The products and gates of `lstm.c`.

    Raises:
        Unavailable: they cannot be compiled here.
    """
    return compiled.library(SOURCE)
