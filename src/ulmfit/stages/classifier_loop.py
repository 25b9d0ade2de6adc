"""A classifier's loop at its start: the rows it learns from, the model, what it minimises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ulmfit import device as devices
from ulmfit.bundle import Bundle, Direction, TargetConfig
from ulmfit.data.stream import Ids, reverse_document
from ulmfit.language_modelling import Hardware
from ulmfit.model.awd_lstm import AWDLSTM
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.presets import ClassifierSettings
from ulmfit.stages.objective import Objective, learnable, new_target, outset
from ulmfit.targets.kinds import Floats, Kind, Labels, outputs
from ulmfit.targets.splitting import stratified_split
from ulmfit.tasks import ClassifierTask, classifier_groups
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

    def joined(self, other: Labelled) -> Labelled:
        """These documents and then those of another, which weigh what these do on average."""
        weights = self.weights
        if weights is not None:
            weights = np.append(weights, np.full(len(other.documents), weights.mean()))
        labels = np.concatenate([self.labels, other.labels])
        return Labelled([*self.documents, *other.documents], labels, weights)


@dataclass(frozen=True)
class Part:
    """Training or held-out rows as one direction's run needs them."""

    documents: Sequence[Ids]
    labels: Labels
    weights: Floats | None
    """of the loss, (documents,) or (documents, classes)"""

    def directed(self, direction: Direction) -> Part:
        """The documents as a model of that direction reads them."""
        if direction == "forward":
            return self
        return replace(self, documents=[reverse_document(d) for d in self.documents])


@dataclass(frozen=True)
class Begun:
    """One direction's model and what it learns."""

    model: TextClassifier
    train: Part
    valid: Part
    target: TargetConfig
    objective: Objective


def classifier_loop(
    bundle: Bundle,
    data: Labelled,
    names: Sequence[str],
    settings: ClassifierSettings,
    *,
    direction: Direction = "forward",
    seed: int = 0,
    hardware: Hardware = Hardware(),
    kind: Kind = "single",
    objective: Objective = Objective(),
) -> Loop[ClassifierTask]:
    """The loop of one direction as `classify` begins it, for whoever wants to look at it.

    Args: as `classify`.

    Raises:
        InputError: as `classify`.
    """
    bundle.require("language-model", direction)
    objective.check(kind, names)
    train, valid = split_rows(data, names, seed, kind, objective)
    target = new_target(train.labels, kind)
    model = new_classifier(bundle, direction, train, target, len(names), settings, seed)
    task = Begun(model, train.directed(direction), valid.directed(direction), target, objective)
    return new_loop(task, seed, hardware, settings)


def split_rows(
    data: Labelled,
    names: Sequence[str],
    seed: int,
    kind: Kind,
    objective: Objective,
    pseudo: Labelled | None = None,
) -> tuple[Part, Part]:
    """What is learned from, `pseudo` among it, and the tenth of `data` that decides."""
    rows = stratified_split(data.labels, names, VALID_FRACTION, seed, kind)
    train, valid = map(data.take, rows)
    if pseudo is not None:
        train = train.joined(pseudo)
    return _part(train, names, kind, objective), _part(valid, names, kind, objective)


def _part(data: Labelled, names: Sequence[str], kind: Kind, objective: Objective) -> Part:
    weights = objective.weights(data.labels, names, kind, data.weights)
    return Part(data.documents, data.labels, weights)


def new_classifier(
    bundle: Bundle,
    direction: Direction,
    train: Part,
    target: TargetConfig,
    classes: int,
    settings: ClassifierSettings,
    seed: int,
) -> TextClassifier:
    """A classifier of one direction: the language model's encoder, a head not yet learned."""
    torch.manual_seed(seed)
    encoder = AWDLSTM(bundle.architecture, settings.dropouts)
    tensors = bundle.weights[direction]
    kept = {n.removeprefix(ENCODER): t for n, t in tensors.items() if n.startswith(ENCODER)}
    encoder.load_state_dict(kept)
    size = bundle.architecture.embedding
    count = outputs(target.kind, classes)
    top = PooledClassifier(size, count, settings.head_hidden, settings.head_dropouts)
    model = TextClassifier(
        encoder,
        top,
        chunk=settings.chunk,
        pooled_tokens=settings.pooled_tokens,
        detach_chunks=settings.detach_chunks,
        alpha=settings.alpha,
        beta=settings.beta,
    )
    _begin_at(model, outset(train.labels, target.kind))
    return model


def _begin_at(model: TextClassifier, outset: Floats | None) -> None:
    """Let the first outputs be `outset`, give or take what is drawn."""
    if outset is not None:
        with torch.no_grad():
            model.head.linear2.bias.copy_(torch.from_numpy(outset))


def new_loop(
    asked: Begun, seed: int, hardware: Hardware, settings: ClassifierSettings
) -> Loop[ClassifierTask]:
    """A loop at its start; the model is moved to the device."""
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
    return Loop(
        model,
        groups,
        task,
        settings.long_enough(task.steps(0)).phases(len(groups)),
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        device=device,
        precision=hardware.precision,
    )
