"""The hot path in C (`native/forms.c`), where there is a compiler."""

import ctypes
import warnings
from functools import cache
from pathlib import Path

from ulmfit import compiled
from ulmfit.compiled import Unavailable

_SOURCE = Path(__file__).parent / "native" / "forms.c"


@cache
def code() -> ctypes.CDLL | None:
    """Return the compiled code, or None where there is none; that is told once."""
    try:
        code = compiled.library(_SOURCE)
    except Unavailable as error:
        warnings.warn(f"tokenising is slower here, in Python: {error}", stacklevel=4)
        return None
    pointer, flag, text, count = ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int64
    code.numbering_new.argtypes, code.numbering_new.restype = [ctypes.c_uint64, flag], pointer
    code.numbering_free.argtypes, code.numbering_free.restype = [pointer], None
    written = (pointer, pointer, pointer, pointer, pointer)
    code.numbering_number.argtypes = [pointer, text, count, *written]
    code.numbering_number.restype = flag
    code.ragged_size.argtypes, code.ragged_size.restype = [pointer, pointer, count], count
    sequences = (pointer, pointer, pointer)
    code.ragged_take.argtypes = [*sequences, pointer, count, pointer]
    code.ragged_take.restype = None
    return code
