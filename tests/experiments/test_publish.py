"""experiments/pretrain/publish.py: a pretrained model becomes an embedded one, with its figures."""

import json
from functools import partial
from pathlib import Path

import pytest

from ulmfit import bundle as bundles
from ulmfit import pipeline
from ulmfit.errors import InputError
from ulmfit.pipeline.options import Machine, PretrainOptions, Source
from ulmfit.pretrained import HERE

from .running import run_script

MACHINE = Machine("cpu", "fp32", 1)


publish = partial(run_script, "pretrain/publish.py")


@pytest.fixture(scope="module")
def corpus_file(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("corpus") / "texts.txt"
    file.write_text("\n\n".join(texts))
    return file


@pytest.fixture(scope="module")
def data(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "wikitext-103").mkdir()
    article = "".join(f" {text} \n" for text in texts[:5])
    (folder / "wikitext-103" / "wiki.test.tokens").write_text(f" \n = A film = \n \n{article}")
    return folder


def pretrained(corpus_file: Path, out: Path, **options: object) -> Path:
    asked = PretrainOptions(
        Source((str(corpus_file),)), str(out), MACHINE, **{"batch": 4, **options}
    )  # type: ignore[arg-type]
    list(pipeline.pretrain(asked))
    return out


@pytest.fixture(scope="module")
def forward(corpus_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"embedding": 8, "hidden": 12, "layers": 2, "min_count": 1}
    return pretrained(corpus_file, tmp_path_factory.mktemp("lm") / "forward", **sizes)


def steps(model: Path) -> list[dict]:
    lines = map(json.loads, (model / "training.jsonl").read_text().splitlines())
    return [line for line in lines if line["record"] == "Step"]


def test_pretrain_then_publish(
    corpus_file: Path, forward: Path, data: Path, tmp_path: Path
) -> None:
    """Two models, one after the other, in both directions: what was read is added up."""
    both = pretrained(
        corpus_file, tmp_path / "both", start=str(forward), direction="both", epochs=2
    )
    words = ("--data", data, "--embedded", tmp_path, "--curves", tmp_path)
    publish(both, "tiny", "--parts", forward, both, *words)
    stored = bundles.load(tmp_path / "tiny")
    told = stored.provenance["directions"]
    assert stored.directions == ("forward", "backward") == tuple(told)
    first, second = (sum(s["tokens"] for s in steps(model)) for model in (forward, both))
    assert told["forward"]["tokens_seen"] == first + second / 2
    assert told["backward"]["tokens_seen"] == second / 2
    assert len(told["forward"]["trained"]) == 2 and len(told["backward"]["trained"]) == 1
    assert stored.metrics["wikitext103_test"]["backward"]["words"] > 0
    card = (tmp_path / "tiny" / "README.md").read_text()
    assert "CC BY-SA" in card and "million tokens" in card and "## What it writes" in card
    assert str(tmp_path) not in (tmp_path / "tiny" / "config.json").read_text()
    curve = (tmp_path / "tiny-forward.csv").read_text().splitlines()
    assert curve[-1].split(",")[0] == str(told["forward"]["tokens_seen"])
    assert (tmp_path / "tiny-backward.png").stat().st_size > 1_000


def test_a_published_model_that_was_gone_on_with(
    corpus_file: Path, forward: Path, data: Path, tmp_path: Path
) -> None:
    """Its records are gone: its provenance and its curve tell what it had read."""
    words = ("--data", data, "--embedded", tmp_path, "--curves", tmp_path)
    publish(forward, "tiny", *words)
    on = pretrained(corpus_file, tmp_path / "on", start=str(tmp_path / "tiny"), direction="both")
    publish(on, "grown", "--parts", tmp_path / "tiny", on, *words)
    before, after = (
        bundles.load(tmp_path / name).provenance["directions"] for name in ("tiny", "grown")
    )
    own = sum(s["tokens"] for s in steps(on)) / 2
    assert after["forward"]["tokens_seen"] == before["forward"]["tokens_seen"] + own
    assert after["backward"]["tokens_seen"] == own
    assert after["forward"]["trained"][0] == before["forward"]["trained"][0]
    assert len(after["forward"]["trained"]) == 2 and len(after["backward"]["trained"]) == 1
    curve = (tmp_path / "grown-forward.csv").read_text().splitlines()
    seen = [int(line.split(",")[0]) for line in curve[1:]]
    assert seen == sorted(seen) and seen[-1] == after["forward"]["tokens_seen"]


def test_what_was_rounded_already_is_refused(forward: Path, data: Path, tmp_path: Path) -> None:
    rounded = tmp_path / "rounded"
    bundles.save(bundles.load(forward), rounded, "", "int8")
    with pytest.raises(InputError, match="less than fp32"):
        publish(rounded, "tiny", "--data", data, "--embedded", tmp_path, "--curves", tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_model_without_a_record_is_refused(forward: Path, data: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bundles.save(bundles.load(forward), bare, "")
    with pytest.raises(InputError, match=r"neither training\.jsonl nor"):
        publish(bare, "tiny", "--data", data, "--embedded", tmp_path, "--curves", tmp_path)


def test_all_embedded_models_are_small() -> None:
    assert sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file()) < 90e6
