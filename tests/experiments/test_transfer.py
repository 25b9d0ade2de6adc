"""experiments/transfer.py: each direction and both, with a language model and with none."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from numpy.typing import NDArray

from ulmfit import bundle as bundles
from ulmfit import pipeline
from ulmfit.errors import InputError
from ulmfit.pipeline.options import Machine, PretrainOptions, Source

from .running import run_script

transfer = partial(run_script, "transfer.py")


def test_with_a_language_model_and_with_none(
    texts: list[str], labels: NDArray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.csv"
    rows = (f"{text},{['bad', 'good'][y]}" for text, y in zip(texts, labels, strict=True))
    data.write_text("text,label\n" + "\n".join(rows) + "\n")
    sizes = {"embedding": 8, "hidden": 12, "layers": 2, "min_count": 1, "batch": 4}
    corpus, lm = Source((str(data),)).without_labels(), tmp_path / "lm"
    machine = Machine("cpu", "fp32", 1)
    list(pipeline.pretrain(PretrainOptions(corpus, str(lm), machine, "both", **sizes)))  # type: ignore[arg-type]
    few = ("--labels", 20, "--seeds", 3, "--epochs", 1)
    for start in ("--lm", "--untrained"):
        transfer(data, data, start, lm, "--out", tmp_path / start, *few)
        told = capsys.readouterr().out
        assert all(f"20 labels, {name}: " in told for name in ("forward", "backward", "both"))
        (line,) = (tmp_path / start / "results.jsonl").read_text().splitlines()
        assert json.loads(line)["accuracy"].keys() == {"forward", "backward", "both"}
        transfer(data, data, start, lm, "--out", tmp_path / start, *few)  # nothing is done again
        assert len((tmp_path / start / "results.jsonl").read_text().splitlines()) == 1
    drawn = bundles.load(tmp_path / "--untrained" / "untrained-3")
    assert drawn.provenance == {"untrained": True, "seed": 3}
    assert drawn.architecture == bundles.load(lm).architecture


def test_two_directions_trained_apart_are_as_one_run_of_both(
    texts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "texts.txt").write_text("\n\n".join(texts))
    corpus, machine = Source((str(tmp_path / "texts.txt"),)), Machine("cpu", "fp32", 1)
    sizes = {"embedding": 8, "hidden": 12, "layers": 2, "min_count": 1, "batch": 4}
    for direction in ("both", "forward", "backward"):
        out = str(tmp_path / direction)
        list(pipeline.pretrain(PretrainOptions(corpus, out, machine, direction, **sizes)))  # type: ignore[arg-type]
    run_script("joined.py", tmp_path / "forward", tmp_path / "backward", tmp_path / "joined")
    both, joined = bundles.load(tmp_path / "both"), bundles.load(tmp_path / "joined")
    assert joined.directions == both.directions == ("forward", "backward")
    for direction, tensors in both.weights.items():
        assert all(torch.equal(t, joined.weights[direction][n]) for n, t in tensors.items())
        assert joined.metrics[direction].keys() == both.metrics[direction].keys()
    with pytest.raises(InputError, match="both language models are forward"):
        run_script("joined.py", tmp_path / "forward", tmp_path / "both", tmp_path / "x")
