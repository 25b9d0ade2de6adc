"""How long the texts are, in the model's own tokens, and how many of these it does not know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ulmfit.report.parts import Part
from ulmfit.targets.kinds import Rows
from ulmfit.text.encoder import Encoder
from ulmfit.text.specials import UNKNOWN_ID

MOST = 5_000  # texts of a part that are looked at


@dataclass(frozen=True)
class Lengths:
    """Of the texts of a part."""

    name: str
    tokens: Rows
    """of each text"""
    unknown: float
    """share of all tokens, 0 to 1"""


def lengths(part: Part, encoder: Encoder, seed: int) -> Lengths:
    """Encode the texts of a part, at most `MOST` of them."""
    encoded = encoder.encode_batch(list(part.sample(MOST, seed).texts))
    unknown = float((encoded.ids == UNKNOWN_ID).mean())
    return Lengths(part.name, np.diff(encoded.offsets), unknown)
