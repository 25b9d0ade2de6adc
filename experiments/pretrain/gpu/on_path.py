"""`ulmfit` with the other path of the LSTM on a GPU: python on_path.py native train ...

The steps of a classifier are not recorded, so a path of thousands of small launches ("steps", the
default, made for recorded ones) is slow there, and cuDNN's ("native") a launch a layer and chunk.
"""

from __future__ import annotations

import sys

from ulmfit.cli import main
from ulmfit.model import lstm_choice

if __name__ == "__main__":
    lstm_choice.ON_GPU = sys.argv.pop(1)  # type: ignore[assignment]
    sys.argv[0] = "ulmfit"
    sys.exit(main())
