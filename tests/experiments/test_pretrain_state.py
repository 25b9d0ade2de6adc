"""experiments/pretrain/state.py: an unfinished run, packed small, goes on where it was."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from ulmfit.training.checkpoint import load_checkpoint, save_checkpoint

from .running import run_script

Call = Callable[..., None]


@pytest.fixture
def call() -> Call:
    """The script as `python experiments/pretrain/state.py WORDS` runs it."""
    return partial(run_script, "pretrain/state.py")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder as a killed run leaves it: the record has a line more than the checkpoint knows."""
    torch.manual_seed(0)
    folder = tmp_path / "forward"
    folder.mkdir()
    kept = b'{"record": "Step", "step": 1}\n'
    (folder / "records.jsonl").write_bytes(kept + b'{"record": "Step", "st')
    model = {"encoder.embedding": torch.randn(300, 40), "decoder_bias": torch.randn(300)}
    moments = {f"0.{name}": torch.randn(300, 40) for name in ("exp_avg", "exp_avg_sq")}
    save_checkpoint(
        folder / "checkpoint.safetensors",
        {
            "model": model,
            "optimizer": {**moments, "0.step": torch.tensor(7.0)},
            "random": {"cpu": torch.get_rng_state()},
            "task": {"0h": torch.randn(1, 4, 8)},
            "position": {"phase": 0, "epoch": 1, "step": 7, "loss_sum": 3.25},
            "run": {"history": [{"epoch": 0}], "finished": False, "records_bytes": len(kept)},
        },
    )
    return folder


def test_it_goes_on_where_it_was_with_weights_of_eight_bits(
    call: Call, run: Path, tmp_path: Path
) -> None:
    packed, again = tmp_path / "state", tmp_path / "again" / "forward"
    call("pack", run, packed)
    call("unpack", packed, again)
    before, after = (load_checkpoint(f / "checkpoint.safetensors") for f in (run, again))
    assert after["position"] == before["position"] and after["run"] == before["run"]
    assert torch.equal(after["random"]["cpu"], before["random"]["cpu"])
    assert torch.equal(after["task"]["0h"], before["task"]["0h"])
    assert after["optimizer"] == {}  # Adam begins anew
    assert (again / "records.jsonl").read_bytes() == b'{"record": "Step", "step": 1}\n'
    for name, weight in before["model"].items():
        assert after["model"][name].shape == weight.shape
        step = weight.abs().amax(-1, keepdim=True) / 127
        assert ((after["model"][name] - weight).abs() <= 0.51 * step).all(), name
    assert after["model"].keys() == before["model"].keys()


def test_it_is_small(call: Call, run: Path, tmp_path: Path) -> None:
    """A byte a weight instead of four, and no moments, which take twice as much as the weights."""
    call("pack", run, tmp_path / "state")
    sizes = [sum(p.stat().st_size for p in f.iterdir()) for f in (run, tmp_path / "state")]
    assert sizes[1] < sizes[0] / 5


def test_a_verb_that_there_is_not(
    call: Call, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        call("shrink", run, tmp_path / "state")
    assert end.value.code == 2 and "choose from" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
