"""What was trained on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ulmfit.pipeline.inputs import MODELS
from ulmfit.report.examination import Findings
from ulmfit.report.markup import Child, Markup, element, join, spelled, user
from ulmfit.report.numbers import plural, whole
from ulmfit.report.sections.frame import section
from ulmfit.report.tables import terms
from ulmfit.wording import count, duration, size

ROLES = {
    "corpus": "Texts",
    "data": "Labelled data",
    "unlabelled": "Unlabelled texts",
    "test": "Test data",
    "lm": "Language model",
    "teacher": "Teacher",
}
STAGES = {
    "pretrain": "pretraining",
    "finetune": "fine-tuning the language model",
    "classifier": "the classifier",
}


def made(found: Findings) -> Markup:
    """The model, its data, the time that it took."""
    return section("made", "What was trained on what", terms(list(_told(found))))


def _told(found: Findings) -> Iterator[tuple[str, Child]]:
    bundle = found.bundle
    sizes = bundle.architecture
    run: Mapping[str, Any] = found.record.run if found.record else {}
    yield from _inputs(run.get("inputs", []))
    if found.train is not None and found.valid is not None:
        yield "Rows", _rows(found)
    if bundle.labels:
        yield "Labels", _labels(bundle.labels)
    yield (
        "Network",
        f"AWD-LSTM, {plural(sizes.layers, 'layer')} of {whole(sizes.hidden)}, embedding "
        f"{whole(sizes.embedding)}, vocabulary {whole(sizes.vocabulary)}; "
        f"{' and '.join(bundle.directions)}",
    )
    yield "Preset", bundle.preset
    if found.record and found.stages:
        yield "Effort", _effort(found)


def _inputs(inputs: list[Mapping[str, Any]]) -> Iterator[tuple[str, Child]]:
    for role, name in ROLES.items():
        own = [_input(told) for told in inputs if told["role"] == role]
        if own:
            yield name, join(*(element("span", child, class_="item") for child in own))


def _input(told: Mapping[str, Any]) -> Markup:
    path = str(told["path"])
    name = element("bdi", spelled(PurePath(path).name or path), title=spelled(path))
    if told["role"] in MODELS:
        return name
    files = f"{whole(told['files'])} files, " if told["files"] != 1 else ""
    return join(name, f" ({files}{size(told['bytes'])})")


def _rows(found: Findings) -> str:
    assert found.train is not None and found.valid is not None
    parts = [
        f"{whole(len(found.train))} to learn from",
        f"{whole(len(found.valid))} to choose the epoch on",
    ]
    if pseudo := found.bundle.metrics.get("pseudo_labelled"):
        parts.insert(1, f"{whole(pseudo)} more with labels by the teacher")
    if found.measured is not None and found.measured.part.name == "test":
        parts.append(f"{whole(len(found.measured.part))} to test on")
    return ", ".join(parts)


def _labels(labels: list[str], most: int = 12) -> Markup:
    shown = [element("span", user(label, 60), class_="label") for label in labels[:most]]
    rest = len(labels) - most
    return join(*shown, f" and {plural(rest, 'more', 'more')}" if rest > 0 else None)


def _effort(found: Findings) -> Markup:
    told = [
        f"{STAGES.get(s.name, s.name)}, {s.direction}: {plural(len(s.epochs), 'epoch')}, "
        f"{count(s.tokens)} tokens, {duration(s.seconds)}"
        for s in found.stages
    ]
    return join(*(element("span", line, class_="item") for line in told))
