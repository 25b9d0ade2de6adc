"""Stage 3: a classifier on top of a language model (v2, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from copy import deepcopy
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ulmfit.budget import Budget, fewer_epochs
from ulmfit.budgeting import planned
from ulmfit.bundle import Bundle, Direction, HeadConfig
from ulmfit.data.stream import Ids
from ulmfit.language_modelling import Hardware, weights_of
from ulmfit.model.fast_inference import int8_is_fast, int8_levels
from ulmfit.model.heads import TextClassifier
from ulmfit.presets import ClassifierSettings, Keep
from ulmfit.run import Progress, Run
from ulmfit.stages.classifier_loop import VALID_FRACTION as VALID_FRACTION
from ulmfit.stages.classifier_loop import Begun, Part, new_classifier, new_loop, split_rows
from ulmfit.stages.classifier_loop import Labelled as Labelled
from ulmfit.stages.deciding import Policy, chosen, epoch_figures, figures, in_int8
from ulmfit.stages.objective import Objective, new_target
from ulmfit.targets.checks import check_labels as check_labels
from ulmfit.targets.kinds import Floats, Kind
from ulmfit.targets.splitting import stratified_split as stratified_split
from ulmfit.tasks import ClassifierTask, document_logits
from ulmfit.text.specials import PADDING_ID

MARGINS: dict[Keep, str | float | None] = {"late": "standard_error", "lowest": None, "last": inf}


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
    budget: Budget | None = None,
    kind: Kind = "single",
    objective: Objective = Objective(),
    policy: Policy = Policy(),
    pseudo: Labelled | None = None,
) -> Generator[Progress, None, Bundle]:
    """Fine-tune a classifier for each direction; a tenth of `data` chooses the best epoch.

    Of a multi-label target with many rare labels it is up to 0.15 of `data`.

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
        budget: of all directions; the epochs of the last phase are cut to fit.
        kind: of the labels.
        objective: the loss.
        policy: what the held-out tenth decides beside the best epoch.
        pseudo: documents whose labels a model gave: learned from, never held out.

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
    train, valid = split_rows(data, names, seed, kind, objective, pseudo)
    target = new_target(train.labels, kind)
    document = _tokens(data.documents) / len(data.documents)  # pseudo-labelled ones are pieces
    weights: dict[Direction, dict[str, Tensor]] = {}
    metrics: dict[str, Any] = {
        "train_rows": len(data.documents) - len(valid.documents),
        "valid_rows": len(valid.documents),
    }
    if pseudo is not None:
        metrics["pseudo_labelled"] = len(pseudo.documents)
    held_out, rounded = [], []
    for number, direction in enumerate(directions):
        model = new_classifier(bundle, direction, train, target, len(names), settings, seed)
        task = Begun(model, train.directed(direction), valid.directed(direction), target, objective)
        run = _new_run(task, folder / direction, seed, hardware, settings, policy)
        yield from planned(
            run,
            f"classifier, {direction}",
            None if budget is None else budget.turn(number, len(directions)),
            fewer_epochs,
            held_out=_tokens(valid.documents),
            document=document,
        )
        yield from run.drive()
        weights[direction] = weights_of(model)
        metrics[direction] = {"validation": run.best, "history": run.history}
        held_out.append(_logits(model, task.valid, hardware))
        if int8_is_fast():
            rounded.append(_logits(_on_cpu(model), task.valid, Hardware("cpu", "int8")))
    logits = np.stack(held_out, 1)
    target, decided = chosen(logits, valid.labels, target, policy)
    metrics |= {"validation": figures(logits, valid.labels, target, valid.weights), **decided}
    if rounded:
        changed = in_int8(logits, np.stack(rounded, 1), valid.labels, target)
        metrics["int8"] = changed | {"levels": int8_levels()}
    return Bundle(
        *("classifier", bundle.architecture, bundle.encoder, weights, preset, list(names)),
        head=_head(settings),
        metrics=metrics,
        target=target,
    )


def _head(settings: ClassifierSettings) -> HeadConfig:
    return HeadConfig(
        hidden=settings.head_hidden, chunk=settings.chunk, pooled_tokens=settings.pooled_tokens
    )


def _new_run(
    asked: Begun,
    folder: Path,
    seed: int,
    hardware: Hardware,
    settings: ClassifierSettings,
    policy: Policy,
) -> Run[ClassifierTask]:
    """By default ("late"), of the epochs as good as the best the last is kept.

    Ten or a few hundred held-out texts tell such epochs apart by luck, and the last was trained
    longest and with the smallest rates (after Breiman et al. 1984, sec. 3.4.3; LOG, "Which epoch
    to keep").
    """
    loop = new_loop(asked, seed, hardware, settings)

    def validate() -> dict[str, float]:
        held_out = _logits(asked.model, asked.valid, hardware)[:, None]
        valid = asked.valid
        return epoch_figures(held_out, valid.labels, asked.target, policy, valid.weights)

    return Run(
        loop,
        folder,
        validate,
        monitor="final_loss",
        margin=MARGINS[settings.keep],
        patience=settings.patience,
    )


def _tokens(documents: Sequence[Ids]) -> int:
    return sum(map(len, documents))


def _on_cpu(model: TextClassifier) -> TextClassifier:
    """The model itself if it is there, else a copy."""
    here = model.encoder.embedding.device.type == "cpu"
    return model if here else deepcopy(model).cpu()


def _logits(model: TextClassifier, part: Part, hardware: Hardware) -> Floats:
    return document_logits(model, part.documents, PADDING_ID, hardware.precision)
