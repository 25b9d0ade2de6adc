"""Calls of `pretrain` that are wrong, before any text is read."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline import pretrain
from ulmfit.pipeline.options import PretrainOptions, Source

from .conftest import MACHINE

SIZES = ("embedding", "hidden", "layers", "max_vocabulary", "min_count", "epochs", "tokens")


@pytest.mark.parametrize("name", [*SIZES, "batch", "rate"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_size_that_is_none_is_refused(name: str, value: float, data: Path) -> None:
    options = PretrainOptions(Source((str(data),)), str(data.parent / "lm"), MACHINE)
    with pytest.raises(InputError, match=f"{name} is {value}"):
        next(pretrain(replace(options, **{name: value})))
    assert [path.name for path in data.parent.iterdir()] == [data.name]
