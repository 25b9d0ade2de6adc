"""A tiny run to track."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.text import Encoder
from ulmfit.tracking import trackers
from ulmfit.tracking.trackers import Kind

Result = TypeVar("Result")


def finish(events: Generator[Any, None, Result]) -> tuple[list[Any], Result]:
    """Every event, and what the generator returns."""
    told = []
    while True:
        try:
            told.append(next(events))
        except StopIteration as end:
            return told, end.value


class Recording:
    """Remembers all that it is told; fails at will."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.asked: dict[str, str] = {}
        self.told: dict[str, dict[int, float]] = {}
        self.twice: list[str] = []
        self.closed: list[bool] = []
        self.fails_at = 10**9
        self._calls = 0

    def parameters(self, values: Mapping[str, str]) -> None:
        self.asked |= values

    def figures(self, values: Mapping[str, float], step: int) -> None:
        self._calls += 1
        if self._calls > self.fails_at:
            raise ConnectionError("the server is gone\nand more")
        for name, value in values.items():
            if step in self.told.setdefault(name, {}) and "epoch" in name:
                self.twice.append(name)  # steps may be: a resumed run repeats them
            self.told[name][step] = value

    def flush(self) -> None:
        pass

    def close(self, finished: bool) -> None:
        self.closed.append(finished)


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Recording]]:
    """What was opened as `recording`."""
    opened: list[Recording] = []

    def open_one(where: str | None, name: str, identity: str | None) -> Recording:
        if where == "nowhere":
            raise ConnectionError("no server at nowhere")
        found = next((r for r in opened if r.identity == identity), None)
        opened.append(found or Recording(f"{name}-{len(opened)}"))
        if where == "weak":
            opened[-1].fails_at = 3
        if where == "brief" and len(opened) > 1:
            raise ConnectionError("gone between two runs")
        return opened[-1]

    kinds = {**trackers.KINDS, "recording": Kind(lambda: None, open_one, lambda where: where)}
    monkeypatch.setattr(trackers, "KINDS", kinds)
    monkeypatch.setattr("ulmfit.tracking.group.KINDS", kinds)
    yield opened
    assert [run.twice for run in opened if run.twice] == []


@pytest.fixture(scope="session")
def lm(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a language model, not trained."""
    sizes = Architecture(len(encoder.vocab), 16, 16, 2)
    torch.manual_seed(0)
    weights = LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()
    folder = tmp_path_factory.mktemp("lm") / "lm"
    bundles.save(Bundle("language-model", sizes, encoder, {"forward": weights}), folder, "")
    return folder


@pytest.fixture
def options(lm: Path, texts: list[str], tmp_path: Path) -> TrainOptions:
    """Both stages, of an epoch each (and the classifier's stages before), with test rows."""
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "".join(f"{t},{'ab'[i % 2]}\n" for i, t in enumerate(texts)))
    return TrainOptions(
        Source((str(path),)),
        str(tmp_path / "model"),
        Machine("cpu", "fp32", workers=1),
        str(lm),
        test=(str(path),),
        lm_epochs=1,
        epochs=1,
        settings={"classifier": {"batch": 8}},
    )
