"""The road of experiments/pretrain/gpu: packed, unpacked, trained by the clock, joined."""

import json
import lzma
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from ulmfit import compact, pipeline
from ulmfit.bundle import load
from ulmfit.compact import Storage
from ulmfit.corpus import Corpus, open_corpus
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline.options import Machine, PretrainOptions, Source
from ulmfit.text import Encoder
from ulmfit.training.schedules import one_cycle

from .running import run_script

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "pretrain" / "gpu"
sys.path.insert(0, str(FOLDER))

import choose  # noqa: E402
import clock  # noqa: E402
import coding  # noqa: E402
import join  # noqa: E402
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


def test_texts_are_encoded_as_pretraining_does_it(texts: list[str], tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"title": "A", "text": t}) + "\n" for t in texts))
    columns = ("title", "text")
    run_script(
        "pretrain/gpu/encode.py",
        file,
        "--text",
        "title",
        "--text",
        "text",
        "--out",
        tmp_path / "ids",
    )
    asked = PretrainOptions(
        *(Source((str(file),), columns), str(tmp_path / "lm"), Machine("cpu", "fp32", 1)),
        **{"embedding": 4, "hidden": 6, "layers": 1, "tokens": 50, "batch": 2},
    )
    run = pipeline.pretrain(asked)
    while not (corpus := tmp_path / "lm.run" / "corpus" / "stats.json").exists():
        next(run)
    for name in ("tokenizer.json", "corpus/ids.bin", "corpus/offsets.npy", "corpus/stats.json"):
        assert (tmp_path / "ids" / name).read_bytes() == (tmp_path / "lm.run" / name).read_bytes()
    assert corpus.stat().st_size
    run.close()


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


@pytest.mark.parametrize("storage", ["fp32", "bf16", "int8", "int6", "int5"])
def test_weights_come_back_from_pieces(storage: Storage, tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = {"matrix": torch.randn(70, 33), "bias": torch.randn(33)}
    pieces.write(weights, {"share": 0.25}, tmp_path / "p", storage, limit=1000)
    pieces.write(weights, {"share": 0.5}, tmp_path / "p", storage, limit=1000)
    assert all(p.stat().st_size <= 1000 for p in (tmp_path / "p").glob("weights.*"))
    back, told = pieces.join(tmp_path / "p")
    assert told["share"] == 0.5 and len(told["pieces"]) > 2
    there = {path.name for path in (tmp_path / "p").iterdir()}
    assert there == {*told["pieces"], pieces.STATE}
    wanted = compact.unpack(compact.pack(weights, storage))
    assert back.keys() == wanted.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in wanted.items())
    (tmp_path / "p" / told["pieces"][1]).write_bytes(b"")
    with pytest.raises(InputError, match="copy them again"):
        pieces.join(tmp_path / "p")


@pytest.mark.parametrize("number", range(6))
def test_a_kill_at_any_file_leaves_whole_pieces(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the last file is in place, state.json, the old model stands; then the new one."""
    folder, first, then = tmp_path / "p", torch.zeros(1000), torch.ones(1000)
    pieces.write({"w": first}, {}, folder, "fp32", limit=1000)
    left = number

    def write(path: Path, data: bytes) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        write_atomically(path, data)

    monkeypatch.setattr(pieces, "write_atomically", write)
    with pytest.raises(KeyboardInterrupt):  # five pieces, then the state
        pieces.write({"w": then}, {}, folder, "fp32", limit=1000)
    assert (pieces.join(folder)[0]["w"] == first).all()
    left = 6
    pieces.write({"w": then}, {}, folder, "fp32", limit=1000)
    back, told = pieces.join(folder)
    assert (back["w"] == then).all()
    assert {path.name for path in folder.iterdir()} == {*told["pieces"], pieces.STATE}


def test_a_schedule_by_the_clock_ends_when_the_time_does() -> None:
    now = time.monotonic()
    moments = {0.0: now, 0.5: now - 50, 1.0: now - 100, 1.5: now - 150}
    for share, begin in moments.items():
        timed = clock.Timed(one_cycle, begin, begin + 100)
        assert timed.share() == pytest.approx(min(1.0, share), abs=0.01)
        wanted = one_cycle(int(min(1.0, share) * 999), 1000, 4e-3)
        assert timed(0, 1000, 4e-3) == pytest.approx(wanted, rel=0.05)
    resumed = clock.Timed(one_cycle, now - 50, now + 50, done=0.4, ramp=100)
    assert resumed.share() == pytest.approx(0.7, abs=0.01), "half of what was left"
    unramped = clock.Timed(one_cycle, now - 50, now + 50, done=0.4)
    assert resumed(0, 1000, 4e-3) == pytest.approx(unramped(0, 1000, 4e-3) / 2, rel=0.05)


def test_the_batch_chosen_is_the_smallest_that_is_nearly_the_fastest() -> None:
    assert speed.chosen({64: 500.0, 128: 900.0, 256: 960.0, 384: 990.0}) == 128
    assert speed.chosen({64: 500.0}) == 64


def test_what_was_measured_becomes_arguments_of_the_training() -> None:
    def rows(way: str, **speeds: float) -> list[dict[str, object]]:
        return [
            {"way": way, "batch": int(batch[1:]), "tokens_per_second": speed}
            for batch, speed in speeds.items()
        ]

    ours = rows("ours", b64=500.0, b128=900.0, b256=960.0)
    assert choose.arguments(ours) == "--batch 128 --path steps"
    near = rows("cudnn recorded", b64=990.0)
    assert choose.arguments(ours + near + rows("plain", b64=9e9)) == "--batch 128 --path steps"
    faster = rows("cudnn recorded", b64=100.0, b256=1200.0)
    assert choose.arguments(ours + faster) == "--batch 256 --path native"
    failed = [{"way": "ours", "batch": 64, "failed": "no kernel"}]
    assert choose.arguments(failed) == ""
    assert choose.arguments(failed + near) == "--batch 64 --path native"


@pytest.mark.slow
def test_the_whole_road(packed: Path, tmp_path: Path) -> None:
    """Killed on the way, gone on with; finished pieces are only measured; then a bundle."""
    data, out = tmp_path / "data", tmp_path / "out"
    unpack.unpack([packed], data)
    small = ["--embedding", "8", "--hidden", "8", "--layers", "2", "--batch", "4"]
    asked = [*small, "--seconds", "34", "--reserve", "3", "--precision", "fp32", "--device", "cpu"]
    command = [sys.executable, str(FOLDER / "train.py"), str(data), str(out), *asked]
    process = subprocess.Popen(
        [*command, "--checkpoint-seconds", "1"], stdout=subprocess.PIPE, text=True
    )
    while not (out / "forward-pieces" / pieces.STATE).exists():
        time.sleep(0.05)
    killed = [int(pid) for pid in children(process.pid)]
    os.kill(killed[0], signal.SIGKILL)
    told = [json.loads(line) for line in process.communicate(timeout=120)[0].splitlines()]
    assert process.returncode == 0
    events = [line["event"] for line in told if line["event"] not in ("epoch", "minute")]
    first, second = ["start", "recording"], ["resumed", "start", "recording", "end"]
    assert events == [*first, "failed", *second]
    failed = next(line for line in told if line["event"] == "failed")
    assert failed["why"] == "broken" and failed["next"]["path"] == "native"
    assert told[-1]["share"] == 1.0
    again = [*command, "--batch", "3"]
    done = subprocess.run(again, capture_output=True, text=True, timeout=120, check=True)
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in measured] == ["resumed", "start", "end"]
    assert measured[1]["batch"] == 3 and measured[-1]["seen"] == told[-1]["seen"]
    join.join(data, tmp_path / "lm", [out / "forward-pieces"], "fp32")
    bundle = load(tmp_path / "lm")
    assert bundle.directions == ("forward",)
    assert bundle.metrics["forward"]["validation"] == measured[-1]["held_out"]
    history = bundle.metrics["forward"]["history"]
    assert history[-1]["tokens"] <= told[-1]["seen"] and all(p["loss"] > 0 for p in history)
    made = bundle.provenance["directions"]["forward"]
    assert made["tokens_seen"] == told[-1]["seen"] and 0 < made["seconds"] < 80
    assert made["seed"] == 0 and "torch" in made["machine"]
    assert made["command"].startswith("train.py ") and "--attempt" not in made["command"]


def children(pid: int) -> list[str]:
    """Process ids, as Linux tells them."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
