"""Checkpoints: exact, atomic, free of pickle."""

import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.training.checkpoint import load_checkpoint, save_checkpoint

STATE: dict[str, Any] = {
    "model": {"a.weight": torch.arange(6.0).view(2, 3), "flag": torch.tensor(True)},
    "random": {"cpu": torch.arange(200, dtype=torch.uint8)},
    "task": {},
    "position": {"epoch": 3, "loss_sum": 0.1 + 0.2},
    "run": {"history": [{"loss": 1.5, "epoch": 0}], "finished": False, "name": None},
}


def test_what_was_saved_comes_back_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, STATE)
    back = load_checkpoint(path)
    assert back.keys() == STATE.keys()
    for room in ("model", "random"):
        assert back[room].keys() == STATE[room].keys()
        for name, tensor in STATE[room].items():
            assert torch.equal(back[room][name], tensor)
            assert back[room][name].dtype == tensor.dtype
    assert {k: back[k] for k in ("task", "position", "run")} == {
        k: STATE[k] for k in ("task", "position", "run")
    }


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.int64, torch.float32])
def test_every_type_and_any_layout(tmp_path: Path, dtype: torch.dtype) -> None:
    tensor = torch.arange(24).view(4, 6).to(dtype)
    save_checkpoint(tmp_path / "c", {"t": {"turned": tensor.t(), "part": tensor[1:, 2]}})
    back = load_checkpoint(tmp_path / "c")["t"]
    assert torch.equal(back["turned"], tensor.t()) and torch.equal(back["part"], tensor[1:, 2])


def test_tensors_that_share_memory_are_saved_too(tmp_path: Path) -> None:
    zero = torch.zeros(2, 3)
    save_checkpoint(tmp_path / "c", {"task": {"0h": zero, "0c": zero}})
    assert torch.equal(load_checkpoint(tmp_path / "c")["task"]["0c"], zero)


def test_not_a_number_and_infinity_survive(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", {"h": [float("inf")], "t": torch.tensor([float("nan")])})
    back = load_checkpoint(tmp_path / "c")
    assert back["h"] == [float("inf")] and bool(back["t"].isnan().all())


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_save_that_fails_midway_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "c"
    save_checkpoint(path, {"step": 1})

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if call == "write":
        monkeypatch.setattr("builtins.open", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, {"step": 2})
    monkeypatch.undo()
    assert load_checkpoint(path) == {"step": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c"], "nothing half-written is left"


def test_a_full_disk_in_the_middle_of_a_file_leaves_the_old_one(tmp_path: Path) -> None:
    """A true one: the kernel refuses to write past 64 kB."""
    path = tmp_path / "c"
    write_atomically(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
        with pytest.raises(OSError, match="too large"):
            write_atomically(path, bytes(1_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_bad_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    with pytest.raises(InputError, match=r"c\.safetensors: not a readable checkpoint"):
        load_checkpoint(path)
    save_checkpoint(path, STATE)
    whole = path.read_bytes()
    for damaged in (b"", whole[:20], whole[:-1], b"\x80\x04pickle" + whole, whole[:200]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"c\.safetensors: not a readable checkpoint"):
            load_checkpoint(path)


def test_a_safetensors_file_of_others_is_no_checkpoint(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"w": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="not a readable checkpoint"):
        load_checkpoint(tmp_path / "w.safetensors")


def test_no_pickle_is_written(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", STATE)
    header = (tmp_path / "c").read_bytes()
    assert int.from_bytes(header[:8], "little") < len(header) and header[8:9] == b"{"
