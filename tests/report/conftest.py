"""Findings made by hand, of every kind of target: what the page is written from."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from ulmfit.bundle import Bundle, HeadConfig, empty_classifier
from ulmfit.explanations import Word
from ulmfit.manifest import TargetConfig
from ulmfit.model.awd_lstm import Architecture
from ulmfit.report.answers import judged
from ulmfit.report.beside import beside
from ulmfit.report.doubts import Doubt
from ulmfit.report.examination import Findings
from ulmfit.report.history import Epoch, Phase, Record, Stage
from ulmfit.report.lengths import lengths
from ulmfit.report.mistakes import Mistake
from ulmfit.report.parts import Part, key
from ulmfit.targets.encoding import Coding
from ulmfit.targets.kinds import Kind, outputs
from ulmfit.text import Encoder

QUESTIONS = (
    "How far is it from Denver to Aspen ?",
    "Who was the first man on the moon ?",
    "What does the abbreviation AIDS stand for ?",
    "Where is the highest point in Japan ?",
    "What county is Modesto , California in ?",
    "Why do heavier objects travel downhill faster ?",
    "What is an atom ?",
    "When did Hawaii become a state ?",
)
NAMES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
Make = Callable[..., Findings]


def texts_of(count: int, draw: random.Random) -> list[str]:
    return [
        " ".join(draw.choice(QUESTIONS) for _ in range(draw.randint(1, 3))) + f" {i}"
        for i in range(count)
    ]


def targets_of(kind: Kind, classes: int, count: int, draw: random.Random) -> list[Any]:
    if kind == "real":
        return [round(draw.gauss(3, 1), 2) for _ in range(count)]
    if kind == "multi":
        return [
            tuple(k for k in range(classes) if draw.random() < 0.3 / (1 + k)) for _ in range(count)
        ]
    weights = [1 / (1 + k) for k in range(classes)]
    return [*range(classes), *draw.choices(range(classes), weights, k=count)][:count]


def part_of(name: str, kind: Kind, names: Sequence[str], count: int, seed: int) -> Part:
    draw = random.Random(seed)
    texts = texts_of(count, draw)
    targets = targets_of(kind, len(names), count, draw)
    places = [f"questions.label:{i + 1}" for i in range(count)]
    keys = [key(text) for text in texts]
    return Part(name, Coding(kind, names), targets, keys, np.arange(count), texts, places)


def given(part: Part, skill: float, seed: int) -> np.ndarray:
    """Probabilities (or values) that are often right."""
    random_ = np.random.default_rng(seed)
    labels, classes = part.labels, len(part.coding.names)
    if part.coding.kind == "real":
        return labels + random_.normal(0, 1 / skill, len(labels))
    if part.coding.kind == "multi":
        return 1 / (1 + np.exp(-(skill * (2 * labels - 1) + random_.normal(0, 1.5, labels.shape))))
    logits = random_.normal(0, 1, (len(labels), classes))
    logits[np.arange(len(labels)), labels] += skill
    odds = np.exp(1.3 * logits)
    return odds / odds.sum(1, keepdims=True)


def stage_of(name: str, groups: list[str], epochs: int) -> Stage:
    draw = random.Random(0)
    stage = Stage(name, "forward", groups)
    for epoch in range(epochs):
        for i in range(20):
            at = epoch + (i + 1) / 20
            stage.at.append(at)
            stage.losses.append(1.7 / (1 + at) + draw.random() * 0.2)
            learning = [epoch >= len(groups) - 1 - g for g in range(len(groups))]
            peaks = [0.01 / 2.6 ** (len(groups) - 1 - g) for g in range(len(groups))]
            stage.rates.append(
                [p * (1.05 - i / 20) if on else 0.0 for p, on in zip(peaks, learning, strict=True)]
            )
        figures = {"loss": 1.2 / (1.5 + epoch) + 0.02 * epoch, "accuracy": 0.6 + 0.05 * epoch}
        best = all(figures["loss"] < before.figures["loss"] for before in stage.epochs)
        stage.epochs.append(Epoch(epoch + 1, 1.7 / (1.5 + epoch), figures, best))
    stage.phases = [Phase(f"last {e + 1}", e, 1) for e in range(epochs - 2)]
    stage.phases.append(Phase("all", epochs - 2, 2))
    stage.tokens, stage.seconds = 123_456, 754.0
    return stage


RUN = {
    "record": "Run",
    "command": "train",
    "command_line": ["ulmfit", "train", "questions.label", "--out", "model", "--labels", "600"],
    "options": {"machine": {"seed": 3}},
    "inputs": [
        {
            "role": role,
            "path": f"/data/{name}",
            "files": 1,
            "bytes": 335_858,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
        for role, name in (("data", "questions.label"), ("test", "held-out.label"), ("lm", "en"))
    ],
    "sessions": [
        {
            "at": "2026-11-21T08:00:00+00:00",
            "versions": {"python": "3.11.2", "ulmfit": "0.1.0", "torch": "2.13.0"},
            "system": "Linux-6.1",
            "device": "cpu",
            "precision": "fp32",
            "cpu": "AVX2",
            "cores": 2,
            "threads": 2,
        }
    ],
}


@pytest.fixture(scope="session")
def make(encoder: Encoder) -> Make:
    """Findings by kind, names of the labels, and whether there was a test set."""

    def build(
        kind: Kind = "single",
        names: Sequence[str] = NAMES,
        *,
        rows: int = 200,
        tested: bool = True,
        name: str = "model",
    ) -> Findings:
        return findings(encoder, kind, list(names), rows, tested, name)

    return build


def findings(
    encoder: Encoder, kind: Kind, names: list[str], rows: int, tested: bool, name: str
) -> Findings:
    names = [] if kind == "real" else names
    sizes, head = Architecture(len(encoder.vocab), 8, 8, 2), HeadConfig()
    torch.manual_seed(0)
    weights = empty_classifier(sizes, head, outputs(kind, len(names))).state_dict()
    bundle = Bundle(
        *("classifier", sizes, encoder, {"forward": weights}),
        labels=names,
        head=head,
        target=TargetConfig(kind=kind),
        provenance={"labelled_rows": rows},
    )
    train = part_of("training", kind, names, rows, 0)
    measured = part_of("test" if tested else "validation", kind, names, rows, 1)
    answered = judged(measured, given(measured, 2.2, 0))
    found = Findings(
        name,
        bundle,
        Record(RUN, [], "2026-11-21T09:00:00+00:00"),
        [stage_of("finetune", ["LSTM 1", "LSTM 2", "embedding, decoder"], 3)],
        train=train,
        valid=part_of("validation", kind, names, max(2, rows // 10), 1),
        measured=answered,
        figures=answered.figures,
        figures_of=measured.name,
        baseline=judged(measured, given(measured, 1.6, 5)),
        baseline_learned=rows,
        baseline_strength=10.0,
    )
    assert found.baseline is not None
    found.beside = beside(answered, found.baseline)
    found.stages.append(stage_of("classifier", ["embedding", "LSTM 1", "LSTM 2", "head"], 5))
    found.lengths = [lengths(part, encoder, 0) for part in (train, measured)]
    found.mistakes = [mistake(text, names) for text in measured.texts[:4]]
    if kind in ("single", "ordinal"):
        found.doubts = [
            Doubt(text, "/data/questions.label:7", "training", names[0], names[-1], 0.93, 0.01)
            for text in train.texts[:14]
        ]
    return found


def mistake(text: str, names: Sequence[str]) -> Mistake:
    words, at = [], 0
    for i, word in enumerate(text.split()):
        start = text.index(word, at)
        at = start + len(word)
        words.append(Word(start, at, word, (-1) ** i * (i % 5) / 2))
    told, true = (names[-1], names[0]) if names else ("3.2", "1.5")
    chance = (0.97, 0.01) if names else (None, None)
    return Mistake(text, "held-out.label:12", told, true, *chance, False, tuple(words))
