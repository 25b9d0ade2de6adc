"""Training on a GPU that may fail: what is told, what is kept, what is tried next."""

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ulmfit import device as devices
from ulmfit.corpus import Corpus
from ulmfit.errors import InputError
from ulmfit.text import Encoder

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "pretrain" / "gpu"
sys.path.insert(0, str(FOLDER))

import attempt  # noqa: E402
import pack  # noqa: E402
import pieces  # noqa: E402
import supervising  # noqa: E402
import train  # noqa: E402
import unpack  # noqa: E402
from making import Asked  # noqa: E402
from supervising import How, supervise  # noqa: E402

WORKER = """
import json, subprocess, sys, time
def say(event, **told): print(json.dumps({"event": event, **told}), flush=True)
asked = dict(zip(sys.argv[1::2], sys.argv[2::2]))
rate, path = float(asked["--rate"]), asked["--path"]
say("start", batch=int(asked.get("--batch", 256)))
for _ in range(3): say("beat")
"""


def attempts(body: str, tmp_path: Path, silence: float = 30.0) -> tuple[int, list[How]]:
    """How a worker that does `body` was called, one time after the other; the last exit code."""
    script, called = tmp_path / "worker.py", []
    script.write_text(WORKER + body)

    def command(how: How, seconds: float) -> list[str]:
        called.append(how)
        return [sys.executable, str(script), *how.arguments()]

    code = supervise(command, How(0.004), time.monotonic() + 40, 30.0, silence)
    return code, called


def test_an_attempt_that_ends_well_is_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attempts("say('end')", tmp_path) == (0, [How(0.004)])
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told == ["start", "end"], "beats stay behind the scenes"


@pytest.mark.parametrize(
    ("body", "tried"),
    [
        (
            "sys.exit(0 if rate < 0.0015 else 3)",
            [How(0.004), How(0.002, 256), How(0.001, 256)],
        ),
        (
            "sys.exit(0 if asked.get('--batch') == '64' else 4)",
            [How(0.004), How(0.004, 128), How(0.004, 64)],
        ),
        (
            "sys.exit(0 if '--no-record' in sys.argv else 1)",
            [
                How(0.004),
                How(0.004, 256, "native"),
                How(0.004, 256, "native", record=False),
            ],
        ),
    ],
    ids=["diverged: the rate", "memory: the batch", "broken: the path, the recording"],
)
def test_the_next_attempt_lacks_what_failed(body: str, tried: list[How], tmp_path: Path) -> None:
    assert attempts(body, tmp_path) == (0, tried)


def test_one_that_hangs_is_ended_and_followed(tmp_path: Path) -> None:
    """With what it has started: a compiler's process would keep its output open."""
    body = "if path == 'steps': subprocess.Popen(['sleep', '60']); time.sleep(60)"
    began = time.monotonic()
    assert attempts(body, tmp_path, silence=0.5) == (0, [How(0.004), How(0.004, 256, "native")])
    assert time.monotonic() - began < 15


def test_what_is_refused_is_not_tried_again(tmp_path: Path) -> None:
    assert attempts("sys.exit(2)", tmp_path) == (2, [How(0.004)])


def test_without_time_nothing_is_begun(capsys: pytest.CaptureFixture[str]) -> None:
    ends = time.monotonic() + supervising.LEAST / 2
    assert supervise(lambda how, seconds: ["false"], How(0.004), ends) == 1


@pytest.fixture
def data(corpus: Corpus, encoder: Encoder, tmp_path: Path) -> Path:
    """The tiny corpus as a training machine has it."""
    encoder.save(tmp_path / "tokenizer.json")
    pack.pack(corpus, tmp_path / "tokenizer.json", tmp_path / "packed", 60_000_000)
    unpack.unpack([tmp_path / "packed"], tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def warnings_are_errors_again() -> Iterator[None]:
    """An attempt makes them events, in a process that is its own."""
    show = warnings.showwarning
    yield
    warnings.showwarning = show


def work(data: Path, seconds: float = 1.0, **changes: Any) -> attempt.Attempt:
    """An attempt with a model of 8 units, which leaves pieces at every step."""
    asked = Asked(data, embedding=8, hidden=8, layers=1, device="cpu", precision="fp32")
    out, ends = data.parent / "out", time.monotonic() + seconds
    return attempt.Attempt(replace(asked, **changes), out, ends, 0.0, "fp32", 0.0, "train.py")


def begun(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any], bytes]:
    return *pieces.join(folder), (folder / pieces.STATE).read_bytes()


def test_a_loss_that_is_no_number_ends_it_and_the_pieces_stand(data: Path) -> None:
    first = work(data, 0.5)
    first.train(4)
    weights, told, state = begun(first.pieces)
    second = work(data, 60)
    weights["decoder_bias"][0] = torch.nan
    with pytest.raises(attempt.Diverged, match="the loss is nan"):
        second.train(4, {**told, "share": 0.5}, weights)
    assert begun(first.pieces)[2] == state


def test_weights_that_are_no_numbers_are_not_saved(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step before the loss shows it."""
    first = work(data, 0.5)
    first.train(4)
    weights, _, state = begun(first.pieces)
    weights["encoder.embedding"][3, 3] = torch.inf
    monkeypatch.setattr(attempt, "weights_of", lambda model: weights)
    with pytest.raises(attempt.Diverged, match=r"encoder\.embedding"):
        work(data, 60).train(4)
    assert begun(first.pieces)[2] == state


def test_a_loss_that_leaves_its_curve_is_not_saved(data: Path) -> None:
    first = work(data, 0.5)
    first.train(4)
    weights, told, state = begun(first.pieces)
    low = [{"tokens": 1, "loss": 0.1, "rate": 0.1}, {"tokens": 2, "loss": 3.0, "rate": 0.1}]
    with pytest.raises(attempt.Diverged, match=r"0\.10 to 3\.00"):
        work(data, 60).train(4, {**told, "share": 0.5, "history": low}, weights)
    assert begun(first.pieces)[2] == state


def test_worker_tells_failures_by_its_exit_code(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raised: list[Exception] = []

    def fail(*given: object) -> None:
        raise raised[-1]

    monkeypatch.setattr(attempt.Attempt, "train", fail)
    small = ["--embedding", "8", "--hidden", "8", "--layers", "1", "--batch", "4"]
    asked = train.parser().parse_args(
        [str(data), str(data.parent / "out"), *small, "--seconds", "60", "--device", "cpu"]
    )
    for error, code, event in (
        (attempt.Diverged("nan"), 3, "diverged"),
        (torch.OutOfMemoryError("no"), 4, "memory"),
        (InputError("of another model"), 2, "refused"),
    ):
        raised.append(error)
        assert train.worker(asked, time.monotonic() + 60) == code
        assert json.loads(capsys.readouterr().out)["event"] == event


def test_a_batch_that_is_asked_for_counts_on_resuming_too(data: Path) -> None:
    first = work(data, 0.5)
    first.train(4)
    seen: list[int] = []

    class Watched:
        pieces = data.parent / "nothing-here"

        def batch(self, given: int | None) -> int:
            assert given is not None
            return given

        def train(self, batch: int, *rest: object) -> None:
            seen.append(batch)

    for more in ([], ["--batch", "2"]):
        asked = [str(data), "out", "--seconds", "9", "--resume", str(first.pieces), *more]
        train._run(Watched(), train.parser().parse_args(asked))  # type: ignore[arg-type]
    assert seen == [4, 2]


def test_pieces_of_another_model_are_refused(data: Path) -> None:
    first = work(data, 0.5)
    first.train(4)
    weights, told, _ = begun(first.pieces)
    for other in ({"direction": "backward"}, {"hidden": 16}):
        with pytest.raises(InputError, match="to go on from"):
            work(data, **other).train(4, told, weights)


def test_a_recording_that_is_refused_is_told(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: object, function: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("not permitted while capturing")

    monkeypatch.setattr(devices.Recorder, "record", refuse)
    here = work(data)
    made = here.maker.loop

    def recording(batch: int) -> Any:
        loop, held_out = made(batch)
        loop.record = True  # as on a GPU
        return loop, held_out

    monkeypatch.setattr(here.maker, "loop", recording)
    here.train(4)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    warned = [line for line in told if line["event"] == "warning"]
    assert [line["kind"] for line in warned] == ["NotRecorded"]
    assert "not permitted" in warned[0]["text"]
    recorded = [line["steps_are_recorded"] for line in told if "steps_are_recorded" in line]
    assert recorded and not any(recorded)
    assert begun(here.pieces)[1]["steps_are_recorded"] is False
