"""The whole road on the embedded messages: `ulmfit demo`."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ulmfit import pretrained
from ulmfit.baseline import fit_baseline
from ulmfit.bundle import Bundle
from ulmfit.demo import Messages, load_messages
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.metrics import accuracy
from ulmfit.pipeline.classifiers import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.pipeline.runs import Event, Note
from ulmfit.predict import predict

MODEL = "model"
"""the classifier's folder, under the demonstration's"""
SENTENCES = (
    "The kettle switches itself off before the water is warm.",
    "My order was meant to be here on Tuesday and nobody can tell me where it is.",
)


@dataclass(frozen=True)
class Guess:
    """The predicted label of a text."""

    text: str
    label: str
    probability: float


@dataclass(frozen=True)
class Demonstration:
    """What there is to see at the end."""

    accuracy: float
    """on the held-out messages, 0 to 1"""
    accuracy_ci: tuple[float, float]
    """95%"""
    tfidf_accuracy: float
    """of the baseline, on the same messages"""
    n: int
    """held-out messages"""
    labels: list[str]
    predictions: list[Guess]


def demonstrate(
    folder: Path, machine: Machine, *, overwrite: bool = False
) -> Generator[Event, None, Demonstration]:
    """Train on the embedded messages with the better embedded language model, and measure.

    On so little text what it costs is a minute or two on a CPU (LOG, "en-small on short texts").

    Args:
        folder: for the messages as CSV files and the model; made if need be.
        machine: where to compute, and the seed.
        overwrite: replace a model that is there.

    Raises:
        InputError: a model is there already, or files of these names that hold something else.
        OSError: the disk is full, and the like.
    """
    told, held_out = load_messages()
    files = {folder / "train.csv": _csv(told), folder / "test.csv": _csv(held_out)}
    for path, content in files.items():
        if path.exists() and path.read_bytes() != content:
            raise InputError(
                f"{path}: exists and holds other rows; choose another --out, or move it"
            )
    for path, content in files.items():
        write_atomically(path, content)
    options = TrainOptions(
        data=Source((str(folder / "train.csv"),)),
        out=str(folder / MODEL),
        machine=machine,
        lm=pretrained.BETTER,
        test=(str(folder / "test.csv"),),
    )
    bundle = yield from train(options, overwrite=overwrite)
    if "test" not in bundle.metrics:
        raise InputError(
            f"{options.test[0]}: changed meanwhile; give the command again with --overwrite"
        )
    yield Note("measuring TF-IDF + logistic regression beside it")
    baseline = _baseline_accuracy(told, held_out, bundle.labels)
    low, high = bundle.metrics["test"]["accuracy_ci"]
    return Demonstration(
        accuracy=bundle.metrics["test"]["accuracy"],
        accuracy_ci=(low, high),
        tfidf_accuracy=baseline,
        n=len(held_out.texts),
        labels=bundle.labels,
        predictions=_guesses(bundle, machine),
    )


def _baseline_accuracy(train: Messages, test: Messages, names: list[str]) -> float:
    """Accuracy of TF-IDF + logistic regression, 0 to 1."""
    truth = np.array([names.index(label) for label in train.labels])
    answers = fit_baseline(train.texts, truth, len(names)).answers(test.texts).argmax(1)
    return accuracy([names.index(label) for label in test.labels], answers)


def _csv(messages: Messages) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["text", "label"])
    rows.writerows(zip(messages.texts, messages.labels, strict=True))
    return out.getvalue().encode()


def _guesses(bundle: Bundle, machine: Machine) -> list[Guess]:
    guesses = []
    for text, row in zip(SENTENCES, predict(bundle, SENTENCES, machine.device), strict=True):
        best = int(row.argmax())
        guesses.append(Guess(text, bundle.labels[best], float(row[best])))
    return guesses
