"""Stage 3: a classifier on top of a language model (v2, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ulmfit import device as devices
from ulmfit.bundle import Bundle, Direction, HeadConfig, TargetConfig
from ulmfit.data.stream import Ids, reverse_document
from ulmfit.language_modelling import Hardware, weights_of
from ulmfit.model.awd_lstm import AWDLSTM
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.presets import ClassifierSettings
from ulmfit.run import Progress, Run
from ulmfit.stages.budgeting import planned
from ulmfit.stages.deciding import Policy, chosen, figures
from ulmfit.stages.objective import Objective, learnable, new_target, outset
from ulmfit.targets.checks import check_labels as check_labels
from ulmfit.targets.kinds import Floats, Kind, Labels, outputs
from ulmfit.targets.splitting import stratified_split as stratified_split
from ulmfit.tasks import ClassifierTask, classifier_groups, document_logits
from ulmfit.text.specials import PADDING_ID
from ulmfit.training.loop import Loop

VALID_FRACTION = 0.1  # v2, sec. 5
ENCODER = "encoder."


@dataclass(frozen=True)
class Labelled:
    """Encoded documents (each begins with xxbos) and their labels.

    `labels` are as `targets.kinds` says of the kind; `weights` (documents,) tell how much each
    counts, none below 0; None: all alike.
    """

    documents: Sequence[Ids]
    labels: Labels
    weights: Floats | None = None

    def take(self, rows: NDArray[np.int64]) -> Labelled:
        """Only the documents numbered `rows`."""
        weights = None if self.weights is None else self.weights[rows]
        return Labelled([self.documents[r] for r in rows], self.labels[rows], weights)


@dataclass(frozen=True)
class _Part:
    """Training or held-out rows as one direction's run needs them."""

    documents: Sequence[Ids]
    labels: Labels
    weights: Floats | None
    """of the loss, (documents,) or (documents, classes)"""

    def directed(self, direction: Direction) -> _Part:
        """The documents as a model of that direction reads them."""
        if direction == "forward":
            return self
        return replace(self, documents=[reverse_document(d) for d in self.documents])


@dataclass(frozen=True)
class _Task:
    """One direction's model and what it learns."""

    model: TextClassifier
    train: _Part
    valid: _Part
    target: TargetConfig
    objective: Objective


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
    kind: Kind = "single",
    objective: Objective = Objective(),
    policy: Policy = Policy(),
) -> Generator[Progress, None, Bundle]:
    """Fine-tune a classifier for each direction; a tenth of `data` chooses the best epoch.

    Args:
        bundle: a language model whose encoder made the ids of `data`.
        data: the labelled documents.
        names: label number -> name, at least two (multi: one); none of real values.
        settings: rates, dropouts, schedule, unfreezing, epochs.
        folder: for checkpoints; a killed call goes on from there.
        directions: which models to build; each must be in the bundle.
        seed: draws the head, dropout, the order of documents and the validation split.
        hardware: device and precision.
        preset: the name to keep in the bundle.
        budget: seconds for each direction; the epochs of the last phase are cut to fit.
        kind: of the labels.
        objective: the loss.
        policy: what the held-out tenth decides beside the best epoch.

    Returns:
        A classifier bundle; its metrics hold each direction's and the averaged figures on
        the validation rows, and what they decided.

    Raises:
        InputError: labels, objective or policy do not suit the kind (`targets.checks`).
    """
    for direction in directions:
        bundle.require("language-model", direction)
    objective.check(kind, names)
    policy.check(kind)
    split = stratified_split(data.labels, names, VALID_FRACTION, seed, kind)
    train = _part(data.take(split[0]), names, kind, objective)
    valid = _part(_counted(data.take(split[1])), names, kind, objective)
    target = new_target(train.labels, kind)
    head = HeadConfig(
        hidden=settings.head_hidden, chunk=settings.chunk, pooled_tokens=settings.pooled_tokens
    )
    count = outputs(kind, len(names))
    weights: dict[Direction, dict[str, Tensor]] = {}
    metrics: dict[str, Any] = {"train_rows": len(split[0]), "valid_rows": len(split[1])}
    held_out = []
    for direction in directions:
        torch.manual_seed(seed)
        model = _new_classifier(bundle, direction, head, count, settings)
        _begin_at(model, outset(train.labels, kind))
        task = _Task(model, train.directed(direction), valid.directed(direction), target, objective)
        make = partial(_new_run, task, folder / direction, seed, hardware)
        run = yield from planned(make, settings, folder / direction, direction, budget)
        yield from run.drive()
        weights[direction] = weights_of(model)
        metrics[direction] = {"validation": run.best, "history": run.history}
        held_out.append(_logits(model, task.valid, hardware))
    logits = np.stack(held_out, 1)
    target, decided = chosen(logits, valid.labels, target, policy)
    metrics |= {"validation": figures(logits, valid.labels, target, valid.weights), **decided}
    return Bundle(
        *("classifier", bundle.architecture, bundle.encoder, weights, preset, list(names), head),
        metrics=metrics,
        target=target,
    )


def _counted(data: Labelled) -> Labelled:
    """With all rows alike, where each weighs nothing: they still have to choose an epoch."""
    return data if data.weights is None or data.weights.any() else replace(data, weights=None)


def _part(data: Labelled, names: Sequence[str], kind: Kind, objective: Objective) -> _Part:
    weights = objective.weights(data.labels, names, kind, data.weights)
    return _Part(data.documents, data.labels, weights)


def _new_classifier(
    bundle: Bundle,
    direction: Direction,
    head: HeadConfig,
    outputs: int,
    settings: ClassifierSettings,
) -> TextClassifier:
    encoder = AWDLSTM(bundle.architecture, settings.dropouts)
    tensors = bundle.weights[direction]
    kept = {n.removeprefix(ENCODER): t for n, t in tensors.items() if n.startswith(ENCODER)}
    encoder.load_state_dict(kept)
    size = bundle.architecture.embedding
    top = PooledClassifier(size, outputs, head.hidden, settings.head_dropouts)
    return TextClassifier(
        encoder,
        top,
        chunk=head.chunk,
        pooled_tokens=head.pooled_tokens,
        detach_chunks=settings.detach_chunks,
    )


def _begin_at(model: TextClassifier, outset: Floats | None) -> None:
    """Let the first outputs be `outset`, give or take what is drawn."""
    if outset is not None:
        with torch.no_grad():
            model.head.linear2.bias.copy_(torch.from_numpy(outset))


def _new_run(
    asked: _Task,
    folder: Path,
    seed: int,
    hardware: Hardware,
    settings: ClassifierSettings,
) -> Run[ClassifierTask]:
    model, train, target = asked.model, asked.train, asked.target
    device = devices.pick_device(hardware.device)
    model.to(device)
    groups = classifier_groups(model)
    task = ClassifierTask(
        model,
        train.documents,
        learnable(train.labels, target),
        settings.batch,
        seed,
        PADDING_ID,
        asked.objective.loss_of(target.kind),
        None if train.weights is None else train.weights.astype(np.float32),
    )
    loop = Loop(
        model,
        groups,
        task,
        settings.phases(len(groups)),
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        device=device,
        precision=hardware.precision,
    )

    def validate() -> dict[str, float]:
        held_out = _logits(model, asked.valid, hardware)[:, None]
        return figures(held_out, asked.valid.labels, target, asked.valid.weights)

    return Run(loop, folder, validate, patience=settings.patience)


def _logits(model: TextClassifier, part: _Part, hardware: Hardware) -> Floats:
    return document_logits(model, part.documents, PADDING_ID, hardware.precision)
