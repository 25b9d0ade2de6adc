"""What a call of the pipeline was asked for; plain values, kept in the run's folder."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from ulmfit.bundle import Direction
from ulmfit.compact import Storage
from ulmfit.data.columns import NO_LABEL
from ulmfit.data.rows import Row
from ulmfit.data.sources import check_sources, read_rows
from ulmfit.device import Precision, is_bf16, pick_device
from ulmfit.errors import InputError
from ulmfit.language_modelling import Hardware
from ulmfit.model.heads import Softmax
from ulmfit.pretrained import default_model
from ulmfit.stages.deciding import Policy
from ulmfit.stages.objective import LossName, Objective
from ulmfit.targets.kinds import Kind
from ulmfit.text.rules import PAPER_RULES, Rules

BOTH = "both"
TokenizerName = Literal["word", "subword"]
RulesName = Literal["default", "paper"]
_NAMES = {"storage": Storage, "tokenizer": TokenizerName, "rules": RulesName, "softmax": Softmax}


@dataclass(frozen=True)
class Source:
    """Files of rows and how to read them (`data.sources.read_rows`)."""

    paths: tuple[str, ...]
    text: tuple[str, ...] = ()
    label: str | tuple[str, ...] | None = None
    """several columns say 0 or 1 each"""
    format: str | None = None
    skip_bad_rows: bool = False
    separator: str | None = None
    """between the labels of one text in a column of text"""
    sample_weight: str | None = None
    """the column with how much a row counts"""
    blank_texts: bool = False
    """a row without a text has an empty one, instead of being a bad row"""

    def check(self, need_label: bool = False) -> None:
        """Raise InputError now for what would go wrong at the first row."""
        if self.separator == "":
            raise InputError("--separator '': a mark is wanted that stands between two labels")
        check_sources(
            [Path(p) for p in self.paths],
            text=self.text or None,
            label=self.label,
            weight=self.sample_weight,
            format=self.format,
            need_label=need_label,
        )

    def rows(self, on_bad: Callable[[str], None] | None = None) -> Iterator[Row]:
        """The rows, streamed."""
        return read_rows(
            [Path(p) for p in self.paths],
            text=self.text or None,
            label=self.label,
            separator=self.separator,
            weight=self.sample_weight,
            format=self.format,
            blank_texts=self.blank_texts,
            skip_bad_rows=self.skip_bad_rows,
            on_bad=on_bad,
        )

    def without_labels(self) -> Source:
        """The same files, no column taken for a label, so that none can be doubtful."""
        return replace(self, label=NO_LABEL, separator=None, sample_weight=None)

    def texts(self, on_bad: Callable[[str], None] | None = None) -> Iterator[str]:
        """The rows' texts, streamed."""
        return (row.text for row in self.rows(on_bad))


@dataclass(frozen=True)
class Machine:
    """Where to compute, and from which seed."""

    device: str = "auto"
    precision: Precision = "auto"
    workers: int = 0
    """processes that tokenise; 0 for one a core"""
    seed: int = 0

    @property
    def hardware(self) -> Hardware:
        """Device and precision."""
        return Hardware(self.device, self.precision)

    @property
    def processes(self) -> int:
        """Workers, 0 resolved."""
        return self.workers or cores()

    def check(self) -> None:
        """Raise InputError now for a device that is not there or an unknown precision."""
        is_bf16(pick_device(self.device), self.precision)


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class PretrainOptions:
    """`ulmfit pretrain`."""

    corpus: Source
    out: str
    machine: Machine = Machine()
    direction: str = "forward"
    embedding: int | None = None
    """None: of `start`, or else the papers' 400; so too the next two, 1150 and 3"""
    hidden: int | None = None
    layers: int | None = None
    tokenizer: TokenizerName = "word"
    rules: RulesName = "default"
    max_vocabulary: int = 30_000
    min_count: int = 2
    epochs: int | None = None
    tokens: int | None = None
    """tokens to see in all, instead of whole epochs"""
    batch: int | None = None
    rate: float | None = None
    softmax: Softmax | None = None
    """None: of `settings`, or else "full" """
    settings: dict[str, Any] | None = None
    """values over `presets.PRETRAINING`, in the form of `finetune`'s: {"language_model": {...}};
    `epochs`, `tokens`, `batch`, `rate` and `softmax` go before them"""
    time_budget: float | None = None
    """minutes"""
    storage: Storage = "fp32"
    start: str | None = None
    """a language model to go on from; its tokenizer and vocabulary are kept"""

    @property
    def text_rules(self) -> Rules:
        """The rules by name."""
        return PAPER_RULES if self.rules == "paper" else Rules()

    def check(self) -> None:
        """Raise InputError now for a machine that is not there, or values that make no sense."""
        self.machine.check()
        for name, known in _NAMES.items():
            value, names = getattr(self, name), get_args(known)
            if value is not None and value not in names:
                raise InputError(f"{name} {value!r}: choose one of {', '.join(names)}")
        sizes = ("embedding", "hidden", "layers", "max_vocabulary", "min_count", "epochs")
        for name in (*sizes, "tokens", "batch", "rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} is {value}; a finite number above 0 is needed")
        if self.tokens is not None and self.epochs is not None:
            raise InputError(
                f"--tokens {self.tokens} and --epochs {self.epochs} both say how long to train; "
                "give one of them"
            )


@dataclass(frozen=True)
class FinetuneOptions:
    """`ulmfit finetune`."""

    lm: str
    corpus: Source
    out: str
    machine: Machine = Machine()
    preset: str = "default"
    direction: str | None = None
    epochs: int | None = None
    settings: dict[str, Any] | None = None
    """values over the preset's (`ulmfit.settings`); `epochs` goes before them"""
    time_budget: float | None = None


@dataclass(frozen=True)
class TrainOptions:
    """`ulmfit train`."""

    data: Source
    out: str
    machine: Machine = Machine()
    lm: str | None = None
    """a bundle's folder or an embedded model's name; None: `pretrained.default_model`"""
    unlabelled: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    preset: str = "default"
    direction: str | None = None
    labels: int | None = None
    """labelled rows to draw, balanced; the rest is used as unlabelled text"""
    finetune: bool = True
    lm_epochs: int | None = None
    epochs: int | None = None
    settings: dict[str, Any] | None = None
    """values over the preset's (`ulmfit.settings`); `lm_epochs` and `epochs` go before them"""
    time_budget: float | None = None
    task: Kind | None = None
    """the kind of target; None: multi where the rows hold lists of labels, else single"""
    order: tuple[str, ...] = ()
    """ordinal: the labels from lowest to highest; () sorts numbers"""
    class_weights: Literal["balanced"] | dict[str, float] | None = None
    loss: LossName = "cross-entropy"
    focal_gamma: float = 2.0
    label_smoothing: float = 0.0
    calibrate: bool = True
    """divide the logits by a temperature that was fitted on the validation rows"""
    abstain_below: float | None = None
    """the model gives no answer that is less probable to be right"""
    coverage: float | None = None
    """that border is drawn so that this share of the validation rows is answered"""
    teacher: str | None = None
    """a classifier's folder: its answers on texts without a label are learned from too"""
    pseudo_labels: int | None = None
    """how many of these answers, at most; None: `pipeline.pseudo_labels.MOST`"""
    align: bool = False
    """give these answers the shares that the labels have among the labelled rows"""

    @property
    def language_model(self) -> str:
        """What `lm` names, or the default on the machine's device."""
        return self.lm or default_model(self.machine.device)

    @property
    def objective(self) -> Objective:
        """The loss."""
        return Objective(self.loss, self.focal_gamma, self.label_smoothing, self.class_weights)

    @property
    def policy(self) -> Policy:
        """What the validation rows decide."""
        return Policy(self.calibrate, self.abstain_below, self.coverage)


Options = PretrainOptions | FinetuneOptions | TrainOptions


def directions(wanted: str | None, held: tuple[Direction, ...]) -> tuple[Direction, ...]:
    """The directions to train; None means all that the language model holds.

    Raises:
        InputError: no such direction, or the language model does not hold it.
    """
    if wanted is None:
        return held
    every: dict[str, tuple[Direction, ...]] = {
        "forward": ("forward",),
        "backward": ("backward",),
        BOTH: ("forward", "backward"),
    }
    if wanted not in every:
        raise InputError(f"direction {wanted!r}: choose one of forward, backward, both")
    if missing := [d for d in every[wanted] if d not in held]:
        raise InputError(
            f"the language model holds no {' or '.join(missing)} model, "
            f"only {' and '.join(held)}; train one with --direction, or choose another"
        )
    return every[wanted]
