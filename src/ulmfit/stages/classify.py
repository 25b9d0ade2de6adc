"""Stage 3: a classifier on top of a language model (v2, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ulmfit import device as devices
from ulmfit.bundle import Bundle, Direction, HeadConfig
from ulmfit.data.stream import Ids, reverse_document
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.language_modelling import Hardware, weights_of
from ulmfit.metrics import accuracy, log_loss
from ulmfit.model.awd_lstm import AWDLSTM
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.presets import ClassifierSettings
from ulmfit.run import Plan, Progress, Run, plan, probe
from ulmfit.tasks import ClassifierTask, classifier_groups, classify_documents
from ulmfit.text.specials import PADDING_ID
from ulmfit.training.loop import Loop

VALID_FRACTION = 0.1  # v2, sec. 5
BUDGET = "budget"  # epochs of the last phase, kept so that a resumed run has the same schedule
ENCODER = "encoder."


@dataclass(frozen=True)
class Labelled:
    """Encoded documents (each begins with xxbos) and the numbers of their labels."""

    documents: Sequence[Ids]
    labels: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Labelled:
        """Only the documents numbered `rows`."""
        return Labelled([self.documents[r] for r in rows], self.labels[rows])


def classify(
    bundle: Bundle,
    data: Labelled,
    names: Sequence[str],
    settings: ClassifierSettings,
    folder: Path,
    *,
    directions: Sequence[Direction] = ("forward",),
    seed: int = 0,
    hardware: Hardware = Hardware(),
    preset: str = "default",
    budget: float | None = None,
) -> Generator[Progress, None, Bundle]:
    """Fine-tune a classifier for each direction; a tenth of `data` chooses the best epoch.

    Args:
        bundle: a language model whose encoder made the ids of `data`.
        data: the labelled documents.
        names: label number -> name, at least two.
        settings: rates, dropouts, schedule, unfreezing, epochs.
        folder: for checkpoints; a killed call goes on from there.
        directions: which models to build; each must be in the bundle.
        seed: draws the head, dropout, the order of documents and the validation split.
        hardware: device and precision.
        preset: the name to keep in the bundle.
        budget: seconds for each direction; the epochs of the last phase are cut to fit.

    Returns:
        A classifier bundle; its metrics hold each direction's and the averaged figures on
        the validation rows.

    Raises:
        InputError: one label only, or a label with a single row.
    """
    for direction in directions:
        bundle.require("language-model", direction)
    train_rows, valid_rows = stratified_split(data.labels, names, VALID_FRACTION, seed)
    train, valid = data.take(train_rows), data.take(valid_rows)
    head = HeadConfig(
        hidden=settings.head_hidden, chunk=settings.chunk, pooled_tokens=settings.pooled_tokens
    )
    weights: dict[Direction, dict[str, Tensor]] = {}
    metrics: dict[str, object] = {"train_rows": len(train_rows), "valid_rows": len(valid_rows)}
    probabilities = []
    for direction in directions:
        torch.manual_seed(seed)
        model = _new_classifier(bundle, direction, head, len(names), settings)
        directed = _directed(train, direction), _directed(valid, direction)
        make = partial(_new_run, model, *directed, folder / direction, seed, hardware)
        run = yield from _planned(make, settings, folder / direction / BUDGET, direction, budget)
        yield from run.drive()
        weights[direction] = weights_of(model)
        metrics[direction] = {"validation": run.best, "history": run.history}
        held_out = classify_documents(model, directed[1].documents, PADDING_ID, hardware.precision)
        probabilities.append(held_out)
    metrics["validation"] = _figures(np.mean(probabilities, axis=0), valid.labels)
    return Bundle(
        "classifier",
        bundle.architecture,
        bundle.encoder,
        weights,
        preset=preset,
        labels=list(names),
        head=head,
        metrics=metrics,
    )


def _new_classifier(
    bundle: Bundle,
    direction: Direction,
    head: HeadConfig,
    classes: int,
    settings: ClassifierSettings,
) -> TextClassifier:
    encoder = AWDLSTM(bundle.architecture, settings.dropouts)
    tensors = bundle.weights[direction]
    kept = {n.removeprefix(ENCODER): t for n, t in tensors.items() if n.startswith(ENCODER)}
    encoder.load_state_dict(kept)
    size = bundle.architecture.embedding
    top = PooledClassifier(size, classes, head.hidden, settings.head_dropouts)
    return TextClassifier(
        encoder,
        top,
        chunk=head.chunk,
        pooled_tokens=head.pooled_tokens,
        detach_chunks=settings.detach_chunks,
    )


def _new_run(
    model: TextClassifier,
    train: Labelled,
    valid: Labelled,
    folder: Path,
    seed: int,
    hardware: Hardware,
    settings: ClassifierSettings,
) -> Run[ClassifierTask]:
    device = devices.pick_device(hardware.device)
    model.to(device)
    groups = classifier_groups(model)
    loop = Loop(
        model,
        groups,
        ClassifierTask(model, train.documents, train.labels, settings.batch, seed, PADDING_ID),
        settings.phases(len(groups)),
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        device=device,
        precision=hardware.precision,
    )

    def validate() -> dict[str, float]:
        held_out = classify_documents(model, valid.documents, PADDING_ID, hardware.precision)
        return _figures(held_out, valid.labels)

    return Run(loop, folder, validate, patience=settings.patience)


def _planned(
    make: Callable[[ClassifierSettings], Run[ClassifierTask]],
    settings: ClassifierSettings,
    path: Path,
    direction: Direction,
    budget: float | None,
) -> Generator[Plan, None, Run[ClassifierTask]]:
    """The run, its epochs fitted to the budget; its plan told, unless it is being resumed."""
    run = make(settings)
    if not run.begun:
        seconds = probe(run.loop)
        path.unlink(missing_ok=True)  # of a call that got no further
        if budget is not None:
            epochs = _affordable(settings, run.loop, budget, seconds)
            write_atomically(path, str(epochs).encode())
            run = make(replace(settings, epochs=epochs))
        run.plan = plan(run.loop, f"classifier, {direction}", seconds)
        yield run.plan
    elif path.exists():
        run = make(replace(settings, epochs=int(path.read_text())))
    return run


def _affordable(
    settings: ClassifierSettings, loop: Loop[ClassifierTask], budget: float, seconds: float
) -> int:
    """Epochs of the last phase that `budget` seconds pay for, a tenth kept back."""
    epoch = seconds * loop.task.steps(0)
    staged = sum(phase.epochs for phase in loop.phases[:-1])
    return min(settings.epochs, max(1, int(0.9 * budget / epoch) - staged))


def _directed(data: Labelled, direction: Direction) -> Labelled:
    if direction == "forward":
        return data
    return Labelled([reverse_document(d) for d in data.documents], data.labels)


def _figures(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, float]:
    return {
        "loss": log_loss(labels, probabilities),
        "accuracy": accuracy(labels, probabilities.argmax(1)),
    }


def check_labels(labels: NDArray[np.int64], names: Sequence[str]) -> None:
    """Refuse what no classifier can learn from.

    Raises:
        InputError: fewer than two labels, or a label with fewer than two rows.
    """
    counts = np.bincount(labels, minlength=len(names))
    if len(names) < 2:
        only = names[0] if names else "none"
        raise InputError(f"the labelled rows have one label only ({only}); two at least are needed")
    for name, count in zip(names, counts, strict=True):
        if count < 2:
            raise InputError(
                f"label {name!r} has {count} row; each needs two at least "
                "(one to learn from, one to check on): add rows, or merge or drop the label"
            )


def stratified_split(
    labels: NDArray[np.int64], names: Sequence[str], fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(training, validation) rows; every label stands in both.

    Raises:
        InputError: as `check_labels`.
    """
    check_labels(labels, names)
    counts = np.bincount(labels, minlength=len(names))
    generator = np.random.default_rng(seed)
    valid = []
    for number, count in enumerate(counts):
        rows = generator.permutation(np.flatnonzero(labels == number))
        valid.append(rows[: max(1, round(fraction * int(count)))])
    chosen = np.sort(np.concatenate(valid))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen
