"""Training a language model on a corpus: what pretraining and fine-tuning share (floor 2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ulmfit import device as devices
from ulmfit.budget import Budget, shorter_epochs
from ulmfit.budgeting import planned
from ulmfit.bundle import Direction
from ulmfit.corpus import Corpus, split_documents
from ulmfit.data.stream import Documents
from ulmfit.errors import InputError
from ulmfit.model.heads import LanguageModel
from ulmfit.resident import ResidentCorpus, has_room
from ulmfit.run import Progress, Run
from ulmfit.stream_task import LanguageModelTask, language_model_groups, stream_nats
from ulmfit.training.layer_groups import Phase
from ulmfit.training.loop import Loop

VALID_FRACTION = 0.1  # v2, sec. 5: 10% held out; capped at corpus.MAX_VALID_TOKENS
MIN_BATCH = 8  # rows, so that a small corpus is not read one window at a time
MIN_ROW = 2  # tokens a row of the stream must hold at least
RECORDED_MULTIPLE = 8  # steps: on a GPU windows have some ten lengths, each recorded once


@dataclass(frozen=True)
class Hardware:
    """Where and how precisely to compute."""

    device: str = "auto"
    precision: devices.Precision = "auto"


@dataclass(frozen=True)
class Optimisation:
    """What the optimizer and the stream need to know."""

    batch: int
    bptt: int
    variable_bptt: bool
    betas: tuple[float, float]
    weight_decay: float
    clip: float
    patience: int | None = None
    min_windows: int = 1
    """windows that an epoch should have at least; the batch shrinks for a small corpus"""
    max_steps: int | None = None
    """windows of an epoch, for a budget; None takes all"""


@dataclass(frozen=True)
class Trained:
    """One direction's language model after its run."""

    weights: dict[str, Tensor]
    history: list[dict[str, float]]
    figures: dict[str, float]
    """of the best epoch: `loss` in nats per token and `perplexity`, held out"""

    @property
    def metrics(self) -> dict[str, object]:
        """As they stand in a bundle's metrics.json."""
        return {"validation": self.figures, "history": self.history}


def train_directions(
    make: Callable[[Direction], LanguageModel],
    directions: Sequence[Direction],
    corpus: Corpus,
    phases: list[Phase],
    how: Optimisation,
    folder: Path,
    *,
    seed: int,
    hardware: Hardware,
    stage: str,
    budget: Budget | None = None,
) -> Generator[Progress, None, dict[Direction, Trained]]:
    """Train the model of each direction in turn, yielding progress.

    Args:
        make: the model to start from; called after the seed is set.
        directions: which to train.
        corpus: encoded text; a part of its documents is held out.
        phases: what learns when.
        how: optimizer and stream.
        folder: for checkpoints, a subfolder a direction.
        seed: draws weights, dropout and the order of documents.
        hardware: device and precision.
        stage: its name in the plan.
        budget: of all directions; the windows of an epoch are cut to fit.

    Raises:
        InputError: the corpus has too few tokens to learn from.
    """
    trained: dict[Direction, Trained] = {}
    for number, direction in enumerate(directions):
        torch.manual_seed(seed)
        model = make(direction)
        run, held_out = _run(
            *(model, corpus, phases, how, folder / direction, seed, direction, hardware)
        )
        yield from planned(
            run,
            f"{stage}, {direction}",
            None if budget is None else budget.turn(number, len(directions)),
            shorter_epochs,
            held_out=held_out,
            document=corpus.stats.tokens / corpus.stats.documents,
        )
        yield from run.drive()
        trained[direction] = Trained(weights_of(model), run.history, run.best)
    return trained


def _run(
    model: LanguageModel,
    corpus: Corpus,
    phases: list[Phase],
    how: Optimisation,
    folder: Path,
    seed: int,
    direction: Direction,
    hardware: Hardware,
) -> tuple[Run[LanguageModelTask], int]:
    """The run, and how many tokens are held out."""
    loop, held_out = language_model_loop(model, corpus, phases, how, seed, direction, hardware)

    def validate() -> dict[str, float]:
        if len(held_out) < MIN_ROW:  # nothing held out, or one empty text
            return {}
        nats, tokens = stream_nats(model, held_out, hardware.precision)
        return {"loss": nats / tokens, "perplexity": math.exp(min(nats / tokens, 50.0))}

    return Run(loop, folder, validate, patience=how.patience), len(held_out)


def language_model_loop(
    model: LanguageModel,
    corpus: Corpus,
    phases: list[Phase],
    how: Optimisation,
    seed: int,
    direction: Direction,
    hardware: Hardware,
) -> tuple[Loop[LanguageModelTask], Documents]:
    """A loop over the training part of `corpus`, and the documents that are held out.

    The model is moved to the device, and the corpus too where that has room for it.

    Raises:
        InputError: the corpus has too few tokens to learn from.
    """
    device = devices.pick_device(hardware.device)
    model.to(device)
    backward = direction == "backward"
    train, valid = split_documents(corpus.lengths, VALID_FRACTION)
    batch = fitting_batch(how, int(corpus.lengths[train].sum()))
    task = LanguageModelTask(
        model, corpus, train, batch, how.bptt, seed, backward, how.variable_bptt, how.max_steps
    )
    if devices.is_accelerator(device):
        task.multiple = RECORDED_MULTIPLE
        task.resident = ResidentCorpus(corpus, device) if has_room(device, corpus) else None
    loop = Loop(
        model,
        language_model_groups(model),
        task,
        phases,
        betas=how.betas,
        weight_decay=how.weight_decay,
        clip=how.clip,
        device=device,
        precision=hardware.precision,
    )
    return loop, corpus.documents(valid, backward)


def fitting_batch(how: Optimisation, tokens: int) -> int:
    """The largest batch up to `how.batch` that leaves an epoch `how.min_windows` windows.

    Raises:
        InputError: not even one row of `MIN_ROW` tokens.
    """
    if tokens < MIN_ROW + 1:
        raise InputError(f"{tokens} tokens of text are too few to train a language model on")
    rows = (tokens - 1) // (how.bptt * how.min_windows)
    least = min(MIN_BATCH, (tokens - 1) // how.bptt)
    return max(1, min(how.batch, max(rows, least)))


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """The state dict, copied to the CPU."""
    return {name: t.detach().cpu().clone() for name, t in model.state_dict().items()}
