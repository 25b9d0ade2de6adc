"""The folder of a run and what stands where its model goes."""

from pathlib import Path

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.pipeline.runs import begin, run_folder

from .conftest import MACHINE


def test_a_resumed_run_replaces_no_folder_but_a_model(data: Path, lm: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    options = TrainOptions(Source((str(data),)), str(out), MACHINE, str(lm))
    folder = begin("train", options, overwrite=False, resuming=False)
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is no model, so the run does not replace it"):
        begin("train", options, overwrite=False, resuming=True)
    (out / "config.json").write_text("{}")  # a process killed between its model and its end
    assert begin("train", options, overwrite=False, resuming=True) == folder


@pytest.mark.parametrize("out", [".", "/", "", "./"])
def test_a_model_needs_a_name(out: str) -> None:
    with pytest.raises(InputError, match="--out"):
        run_folder(out)
