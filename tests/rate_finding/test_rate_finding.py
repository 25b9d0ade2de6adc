"""A sweep on data: the loop is the one that training begins with, and the picture shows it."""

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from matplotlib.figure import Figure

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.cli import main
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.pipeline.record import read
from ulmfit.presets import preset
from ulmfit.rate_finding import FoundRate, RateOptions, find_rate, plot
from ulmfit.settings import with_settings
from ulmfit.text import Encoder
from ulmfit.training.loop import Step
from ulmfit.training.rate_finder import RateCurve

Result = TypeVar("Result")


def finish(events: Generator[Any, None, Result]) -> tuple[list[Any], Result]:
    told = []
    while True:
        try:
            told.append(next(events))
        except StopIteration as end:
            return told, end.value


@pytest.fixture(scope="module")
def lm(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = Architecture(len(encoder.vocab), 16, 16, 2)
    weights: dict[Any, Any] = {}
    for seed, direction in enumerate(("forward", "backward")):
        torch.manual_seed(seed)
        weights[direction] = LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()
    folder = tmp_path_factory.mktemp("lm") / "lm"
    bundles.save(Bundle("language-model", sizes, encoder, weights), folder, "")
    return folder


@pytest.fixture
def options(lm: Path, texts: list[str], tmp_path: Path) -> RateOptions:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "".join(f"{t},{'ab'[i % 2]}\n" for i, t in enumerate(texts)))
    machine = Machine("cpu", "fp32", workers=1)
    asked = TrainOptions(
        Source((str(path),)), "", machine, str(lm), direction="forward", finetune=False, epochs=1
    )
    return RateOptions(asked, steps=12)


def first_loss(options: TrainOptions) -> float:
    """The first loss of a real training run."""
    step = next(event for event in train(options) if isinstance(event, Step))
    return step.loss


def test_the_classifiers_loop_is_the_one_that_training_begins_with(
    options: RateOptions, tmp_path: Path
) -> None:
    events, found = finish(find_rate(replace(options, phase="last 1")))
    steps = [event for event in events if isinstance(event, Step)]
    assert len(steps) == 12 and found.curve.phase == "last 1"
    assert found.preset_peak == preset("default").classifier.peak
    trained = replace(options.train, out=str(tmp_path / "model"))
    assert steps[0].loss == first_loss(trained)


def test_the_language_models_loop_is_the_one_of_fine_tuning(
    options: RateOptions, tmp_path: Path
) -> None:
    asked = replace(options.train, finetune=True, lm_epochs=1)
    events, found = finish(find_rate(replace(options, train=asked, stage="language-model")))
    steps = [event for event in events if isinstance(event, Step)]
    assert found.preset_peak == preset("default").language_model.peak
    assert steps[0].loss == first_loss(replace(asked, out=str(tmp_path / "model")))
    assert found.stage == "language-model" and found.direction == "forward"


def test_of_both_directions_the_first_is_swept(options: RateOptions) -> None:
    _, found = finish(find_rate(replace(options, train=replace(options.train, direction=None))))
    assert found.direction == "forward"


@pytest.mark.parametrize("stage", ["classifier", "language-model"])
def test_the_record_of_a_sweep(stage: Any, options: RateOptions, tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    train = replace(options.train, finetune=stage != "classifier")
    asked = replace(options, train=train, stage=stage, steps=12, record=str(path))
    events, found = finish(find_rate(asked))
    first, *steps, last = read(path)
    assert first["command"] == "find-rate" and first["options"]["steps"] == 12
    assert first["command_line"][:3] == ["ulmfit", "find-rate", options.train.data.paths[0]]
    assert first["inputs"] and len(first["sessions"]) == 1
    wanted = [event.loss for event in events if isinstance(event, Step)]
    assert [step["loss"] for step in steps] == pytest.approx(wanted, rel=1e-6)
    assert {(s["stage"], s["direction"]) for s in steps} == {
        ("classifier" if stage == "classifier" else "finetune", "forward")
    }
    assert last["figures"]["preset_peak"] == found.preset_peak
    assert last["figures"].get("suggestion") == pytest.approx(found.curve.suggestion, rel=1e-6)


def test_the_peak_is_told_where_only_slower_groups_learn(options: RateOptions) -> None:
    """The curve is of the rate that the embedding had; the preset gives it half of its peak."""
    settings = {"language_model": {"unfreezing": "gradual"}}
    train = replace(options.train, finetune=True, preset="scripts", settings=settings)
    asked = replace(options, train=train, stage="language-model", phase="last 1")
    _, found = finish(find_rate(asked))
    assert found.share == 0.5
    curve = replace(found.curve, smoothed=tuple(range(len(found.curve.rates), 0, -1)))
    found = replace(found, curve=curve)
    assert found.settings is not None and curve.suggestion is not None
    peak = found.settings["language_model"]["peak"]
    assert peak == pytest.approx(2 * curve.suggestion, rel=0.05)


def test_a_record_replaces_no_input(options: RateOptions, tmp_path: Path) -> None:
    (data,) = options.train.data.paths
    before = Path(data).read_bytes()
    with pytest.raises(InputError, match="is the input"):
        next(find_rate(replace(options, record=data)))
    with pytest.raises(InputError, match="is a folder; expected"):
        next(find_rate(replace(options, record=str(tmp_path))))
    other = tmp_path / "training.jsonl"
    other.write_text('{"record": "Run", "command": "train"}\n{"record": "Finished"}\n')
    with pytest.raises(InputError, match="no record of a sweep"):
        next(find_rate(replace(options, record=str(other))))
    assert Path(data).read_bytes() == before


@pytest.mark.parametrize("stage", ["classifier", "language-model"])
def test_the_recorded_call_can_be_made_again(
    stage: str,
    call: Callable[..., tuple[object, str, Any]],
    options: RateOptions,
    lm: Path,
    tmp_path: Path,
) -> None:
    path = tmp_path / "sweep.jsonl"
    words = ("find-rate", *options.train.data.paths, "--lm", lm, "--workers", 1, "--steps", 12)
    call(*words, "--stage", stage, "--record", path)
    first = read(path)[0]
    assert "out" not in first["options"] and str(path) in first["command_line"]
    before = [line["loss"] for line in read(path)[1:-1]]
    call(*first["command_line"][1:])  # a sweep's record may be replaced
    assert [line["loss"] for line in read(path)[1:-1]] == before


def curve(falls: bool = True) -> RateCurve:
    rates = tuple(10 ** (i / 10 - 4) for i in range(31))
    losses = tuple(abs(i - 20) / 10 + 1.0 if falls else 1.0 + i for i in range(31))
    return RateCurve("all", rates, losses, losses)


FOUND = FoundRate("classifier", "forward", curve(), 0.01)


def test_the_suggestion_is_settings_that_train_accepts() -> None:
    assert FOUND.settings == {"classifier": {"peak": 0.001}}
    assert with_settings(preset("default"), FOUND.settings).classifier.peak == 0.001
    assert replace(FOUND, curve=curve(falls=False)).settings is None


@pytest.mark.parametrize(
    ("ending", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_the_picture(ending: str, magic: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"rates{ending}"
    plot(FOUND, path)
    assert path.read_bytes().startswith(magic)


def test_what_the_picture_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    save = Figure.savefig

    def kept(figure: Figure, *place: object, **how: Any) -> None:
        drawn.append(figure)
        save(figure, *place, **how)

    monkeypatch.setattr(Figure, "savefig", kept)
    plot(FOUND, tmp_path / "rates.png")
    (axes,) = drawn[0].axes
    each, smoothed, suggestion, preset_peak = axes.lines
    assert axes.get_xscale() == "log"
    for line, losses in ((each, FOUND.curve.losses), (smoothed, FOUND.curve.smoothed)):
        assert list(line.get_xdata()) == list(FOUND.curve.rates)
        assert list(line.get_ydata()) == list(losses)
    assert set(suggestion.get_xdata()) == {FOUND.curve.suggestion}
    assert set(preset_peak.get_xdata()) == {FOUND.preset_peak}
    told = [text.get_text() for text in axes.get_legend().get_texts()]
    assert told == ["each batch", "smoothed", "suggestion 0.001", "preset 0.01"]


def test_a_picture_without_a_suggestion_is_drawn_too(tmp_path: Path) -> None:
    plot(replace(FOUND, curve=curve(falls=False)), tmp_path / "rates.png")
    assert (tmp_path / "rates.png").stat().st_size > 1000


def test_pictures_that_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"drawn as \.png, \.svg, \.pdf"):
        plot(FOUND, tmp_path / "rates.docx")
    with pytest.raises(InputError, match="there is no folder"):
        plot(FOUND, tmp_path / "no" / "rates.png")


def test_what_is_refused(options: RateOptions) -> None:
    with pytest.raises(InputError, match="stage 'decoder'"):
        next(find_rate(replace(options, stage="decoder")))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"phase 'first': .* 'last 1'"):
        finish(find_rate(replace(options, phase="first")))
    texts = replace(options.train, unlabelled=options.train.data.paths)
    for asked in (texts, replace(texts, finetune=False)):
        with pytest.raises(InputError, match="--unlabelled needs --stage language-model"):
            next(find_rate(replace(options, train=asked, stage="classifier")))
    thaw = replace(options.train, settings={"classifier": {"unfreezing": "chain-thaw"}})
    with pytest.raises(InputError, match="'chain-thaw' has rates of its own"):
        next(find_rate(replace(options, train=thaw, stage="classifier")))


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[object, str, Any]]:
    def run(*words: object) -> tuple[object, str, Any]:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        told = json.loads(out.splitlines()[-1]) if "--json" in words else None
        return end.value.code, out + err, told

    return run


def test_the_command(
    call: Callable[..., tuple[object, str, Any]], options: RateOptions, lm: Path, tmp_path: Path
) -> None:
    words = ("find-rate", *options.train.data.paths, "--lm", lm, "--workers", 1, "--steps", 20)
    picture = tmp_path / "rates.svg"
    code, said, told = call(*words, "--plot", picture, "--json")
    assert code == 0, said
    assert picture.is_file() and told["plot"] == str(picture)
    assert len(told["rates"]) == len(told["losses"]) == len(told["smoothed"]) <= 20
    assert told["preset_peak"] == 0.01 and told["stage"] == "classifier"
    before = sorted(tmp_path.iterdir())
    code, said, _ = call(*words, "--stage", "language-model")
    assert code == 0 and ("the preset   0.004" in said or "nothing to suggest" in said)
    assert max(map(len, said.splitlines())) <= 80
    code, _, told = call(*words, "--plot", tmp_path / "x.docx", "--json")
    assert code == 2 and "docx" in told["error"]
    code, _, told = call(*words, "--lowest", 2, "--json")
    assert code == 2 and "rates from 2 to 1" in told["error"]
    assert sorted(tmp_path.iterdir()) == before
