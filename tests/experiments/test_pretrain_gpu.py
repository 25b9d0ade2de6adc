"""The road of experiments/pretrain/gpu: packed, unpacked, trained by the clock, joined."""

import json
import lzma
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from ulmfit.bundle import load
from ulmfit.corpus import Corpus, open_corpus
from ulmfit.errors import InputError
from ulmfit.text import Encoder
from ulmfit.training.schedules import one_cycle

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "pretrain" / "gpu"
sys.path.insert(0, str(FOLDER))

import clock  # noqa: E402
import coding  # noqa: E402
import pack  # noqa: E402
import pieces  # noqa: E402
import speed  # noqa: E402
import unpack  # noqa: E402


@pytest.mark.parametrize("size", [2, 100, 1 << 22], ids=lambda n: f"{n} bytes at a time")
@pytest.mark.parametrize("seed", range(3))
def test_ids_come_back_from_their_bytes(
    seed: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever follows whatever: second bytes of every size, runs of long ids, all of them."""
    monkeypatch.setattr(coding, "SLICE", size)
    draw = np.random.default_rng(seed)
    ids = np.concatenate(
        [
            draw.integers(0, 300, 2000),
            np.full(50, coding.LARGEST),
            draw.integers(0, coding.LARGEST + 1, 2000 if size < 100 else 40_000),
        ]
    ).astype(np.uint16)
    assert (coding.from_bytes(coding.to_bytes(ids)) == ids).all()
    packed = lzma.compress(coding.to_bytes(ids), preset=0)
    assert (coding.opened(packed) == ids).all()
    assert len(coding.opened(lzma.compress(b""))) == 0


def test_an_id_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=str(coding.LARGEST)):
        coding.to_bytes(np.array([coding.LARGEST + 1], np.uint32))
    with pytest.raises(ValueError, match="too small"):
        next(coding.pieces(np.zeros(10, np.uint16), coding.HELD))


def test_pieces_keep_to_their_limit_and_are_whole_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "XZ", [{"id": lzma.FILTER_LZMA2, "preset": 0}])
    ids = np.random.default_rng(0).integers(0, 30_000, 2_200_000).astype(np.uint16)
    limit = 5_000_000  # of numbers at random, which do not get smaller
    made = list(coding.pieces(ids, limit))
    assert len(made) > 1 and all(len(piece) <= limit for piece, _ in made)
    parts = [coding.opened(piece) for piece, _ in made]
    assert [len(part) for part in parts] == [count for _, count in made]
    assert (np.concatenate(parts) == ids).all()


@pytest.fixture
def packed(corpus: Corpus, encoder: Encoder, tmp_path: Path) -> Path:
    """The tiny corpus, packed."""
    encoder.save(tmp_path / "tokenizer.json")
    pack.pack(corpus, tmp_path / "tokenizer.json", tmp_path / "packed", 60_000_000)
    return tmp_path / "packed"


def test_a_corpus_comes_back_from_pieces_that_lie_apart(
    corpus: Corpus, packed: Path, tmp_path: Path
) -> None:
    apart = tmp_path / "apart"
    apart.mkdir()
    (packed / "000.xz").rename(apart / "000.xz")
    unpack.unpack([packed, apart], tmp_path / "data")
    back = open_corpus(tmp_path / "data" / "corpus")
    assert (back.ids == corpus.ids).all() and (back.offsets == corpus.offsets).all()
    assert back.stats == corpus.stats
    assert len(Encoder.load(tmp_path / "data" / "tokenizer.json").vocab) > 10


def test_a_piece_that_is_missing_or_changed_is_named(packed: Path, tmp_path: Path) -> None:
    whole = (packed / "000.xz").read_bytes()
    (packed / "000.xz").write_bytes(whole[:-1] + b"?")
    with pytest.raises(InputError, match=r"000\.xz.*changed"):
        unpack.unpack([packed], tmp_path / "data")
    (packed / "000.xz").unlink()
    with pytest.raises(InputError, match=r"000\.xz"):
        unpack.unpack([packed], tmp_path / "data")


@pytest.mark.parametrize("storage", ["fp32", "bf16", "int8"])
def test_weights_come_back_from_pieces(storage: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = {"matrix": torch.randn(70, 33), "bias": torch.randn(33)}
    pieces.write(weights, {"share": 0.25}, tmp_path / "p", storage, limit=1000)  # type: ignore[arg-type]
    pieces.write(weights, {"share": 0.5}, tmp_path / "p", storage, limit=1000)  # type: ignore[arg-type]
    assert all(p.stat().st_size <= 1000 for p in (tmp_path / "p").glob("weights.*"))
    back, told = pieces.join(tmp_path / "p")
    assert told["share"] == 0.5 and len(told["pieces"]) > 2
    for name, tensor in weights.items():
        torch.testing.assert_close(back[name], tensor, atol=0.02, rtol=0.01)
    (tmp_path / "p" / "weights.001").write_bytes(b"")
    with pytest.raises(InputError, match="copy them again"):
        pieces.join(tmp_path / "p")


def test_a_schedule_by_the_clock_ends_when_the_time_does() -> None:
    now = time.monotonic()
    moments = {0.0: now, 0.5: now - 50, 1.0: now - 100, 1.5: now - 150}
    for share, begin in moments.items():
        timed = clock.Timed(one_cycle, begin, begin + 100)
        assert timed.share() == pytest.approx(min(1.0, share), abs=0.01)
        wanted = one_cycle(int(min(1.0, share) * 999), 1000, 4e-3)
        assert timed(0, 1000, 4e-3) == pytest.approx(wanted, rel=0.05)
    resumed = clock.Timed(one_cycle, now - 50, now + 50, done=0.4)
    assert resumed.share() == pytest.approx(0.7, abs=0.01), "half of what was left"


def test_the_batch_chosen_is_the_smallest_that_is_nearly_the_fastest() -> None:
    assert speed.chosen({64: 500.0, 128: 900.0, 256: 960.0, 384: 990.0}) == 128
    assert speed.chosen({64: 500.0}) == 64


@pytest.mark.slow
def test_the_whole_road(packed: Path, tmp_path: Path) -> None:
    """Trained by two processes, the second from the first one's pieces; then a bundle."""
    data, out = tmp_path / "data", tmp_path / "out"
    unpack.unpack([packed], data)
    small = ["--embedding", "8", "--hidden", "8", "--layers", "2", "--batch", "4"]
    asked = [*small, "--seconds", "25", "--reserve", "3", "--precision", "fp32", "--device", "cpu"]
    told = []
    for more in ([], ["--resume", str(out / "forward-pieces")]):
        command = [sys.executable, str(FOLDER / "train.py"), str(data), str(out), *asked, *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        told.append([json.loads(line) for line in done.stdout.splitlines()])
    for lines in told:
        assert next(line["event"] for line in lines if line["event"] != "epoch") == "start"
        assert lines[-1]["event"] == "end" and lines[-1]["share"] == 1.0
    assert told[1][-1]["seen"] > told[0][-1]["seen"]
    join = [str(FOLDER / "join.py"), str(data), str(tmp_path / "lm"), str(out / "forward-pieces")]
    subprocess.run([sys.executable, *join], check=True, timeout=300)
    bundle = load(tmp_path / "lm")
    assert bundle.directions == ("forward",)
    assert bundle.metrics["forward"]["validation"]["loss"] == told[1][-1]["held_out"]["loss"]
