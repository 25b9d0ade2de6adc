"""Every value of both papers and the released scripts, and the one that a user gets.

Sources are given as: v1 = "Fine-tuned Language Models for Text Classification" (January 2018),
v2 = "Universal Language Model Fine-tuning for Text Classification" (ACL 2018), scripts = the
authors' released training code (fastai 0.7), Merity = "Regularizing and Optimizing LSTM Language
Models" (2017), LOG = experiments/LOG.md. Where a paper is silent the choice says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from ulmfit.errors import InputError
from ulmfit.language_modelling import Optimisation
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import Softmax
from ulmfit.training.layer_groups import Phase, all_at_once, chain_thaw, gradual_unfreezing
from ulmfit.training.schedules import SCHEDULES, discriminative

LanguageModelUnfreezing = Literal["all", "gradual", "warm-up"]
ClassifierUnfreezing = Literal["all", "gradual", "chain-thaw", "last"]
Keep = Literal["late", "lowest", "last"]
IDLE: dict[ClassifierUnfreezing, tuple[str, ...]] = {
    "gradual": (),
    "all": ("stages", "stage_epochs"),
    "last": ("factor", "stages", "stage_epochs"),
    "chain-thaw": ("peak", "factor", "stages", "stage_epochs"),  # its rates are the paper's
}
"""settings of the classifier that an unfreezing has no use for"""
INSTEAD: dict[str, tuple[str, object]] = {
    "batch": ("min_windows", 1),
    "epochs": ("min_steps", 0),
    "factor": ("ratios", ()),
    "schedule": ("last_schedule", None),
}
"""a setting of one's own -> what of the preset would overrule it, and the value that does not"""

V1_FACTOR = 1 / 0.3  # v1, sec. 4.4: each lower layer's rate is 0.3 times the next
V2_FACTOR = 2.6  # v2, sec. 3.2


@dataclass(frozen=True)
class LanguageModelSettings:
    """How a language model is trained or fine-tuned. Default: v2."""

    dropouts: Dropouts = field(default_factory=Dropouts)
    alpha: float = 2.0
    """activation regularisation (Merity, sec. 4.6)"""
    beta: float = 1.0
    """temporal activation regularisation (Merity, sec. 4.6)"""
    batch: int = 64
    """v2, sec. 4.1, like the next one, the betas and the peak"""
    bptt: int = 70
    variable_bptt: bool = True
    """N(70, 5), one window in twenty half as long, rates in proportion (Merity, sec. 5)"""
    betas: tuple[float, float] = (0.7, 0.99)
    """Adam's"""
    weight_decay: float = 1.2e-6
    """Merity's, like the next one: the papers keep what they do not name"""
    clip: float = 0.25
    """largest norm of all gradients together; 0 for none"""
    softmax: Softmax = "full"
    match_frequencies: bool = False
    """fine-tuning: begin with a decoder's bias that expects the new text's words"""
    peak: float = 4e-3
    """largest rate of the last layer group"""
    factor: float = V2_FACTOR
    """each lower group's rate is the next divided by this"""
    ratios: tuple[float, ...] = ()
    """rates of the groups as shares of `peak`, lowest first; used instead of `factor`. Those of a
    preset suit models of any depth: fewer groups leave out the lowest shares, more repeat them"""
    schedule: str = "slanted_triangular"
    unfreezing: LanguageModelUnfreezing = "all"
    epochs: int = 15
    """of the last phase (v2, footnote 7)"""
    min_windows: int = 1
    """windows that an epoch should have at least; the batch shrinks for a small corpus"""
    patience: int | None = None

    def phases(self, groups: int) -> list[Phase]:
        """The phases for so many layer groups, lowest first."""
        schedule = SCHEDULES[self.schedule]
        peaks = self.peaks(groups)
        if self.unfreezing == "warm-up":  # v1, sec. 4.2: warm up all layers, then from the last
            warm = all_at_once(peaks, 1, SCHEDULES["reverse_annealing"])
            return warm + gradual_unfreezing(peaks, self.epochs, schedule)
        if self.unfreezing == "gradual":
            return gradual_unfreezing(peaks, self.epochs, schedule)
        return all_at_once(peaks, self.epochs, schedule)

    def optimisation(self, max_steps: int | None = None) -> Optimisation:
        """What the optimizer and the stream need to know."""
        return Optimisation(
            batch=self.batch,
            bptt=self.bptt,
            variable_bptt=self.variable_bptt,
            betas=self.betas,
            weight_decay=self.weight_decay,
            clip=self.clip,
            patience=self.patience,
            min_windows=self.min_windows,
            max_steps=max_steps,
        )

    def peaks(self, groups: int) -> list[float]:
        """Peak rate of each group, lowest first."""
        if self.ratios:
            lower = [self.ratios[0]] * (groups - len(self.ratios))
            return [self.peak * share for share in (*lower, *self.ratios)[-groups:]]
        return discriminative(self.peak, groups, self.factor)


@dataclass(frozen=True)
class ClassifierSettings:
    """How a classifier is fine-tuned. Default: v2."""

    dropouts: Dropouts = field(default_factory=lambda: Dropouts(output=0.0))
    """the papers' output dropout is the head's first one (scripts)"""
    head_dropouts: tuple[float, float] = (0.4, 0.1)
    """before each linear layer of the head (v2, sec. 4.1: 0.4; scripts: 0.4 and 0.1)"""
    head_hidden: int = 50
    """between the head's linear layers (v2, sec. 4.1)"""
    alpha: float = 0.0
    """activation regularisation, as in the language model; the papers have it there alone"""
    beta: float = 0.0
    """its temporal part"""
    batch: int = 64
    """v2, sec. 4.1, like the betas and the peak"""
    chunk: int = 70
    """positions that are read at a time (v2, sec. 4.1: the language model's 70)"""
    pooled_tokens: int = 1400
    """v2 pools all; this cap (the scripts' 20 * 70) bounds memory, for 0.1% of IMDb's tokens"""
    detach_chunks: bool = False
    """cut the gradient at each piece's border (scripts)"""
    betas: tuple[float, float] = (0.7, 0.99)
    """Adam's"""
    weight_decay: float = 1.2e-6
    """Merity's, like the next one: the papers keep what they do not name"""
    clip: float = 0.25
    """largest norm of all gradients together; 0 for none"""
    peak: float = 0.01
    """largest rate of the head; v1 names none"""
    factor: float = V2_FACTOR
    """each lower group's rate is the next divided by this"""
    schedule: str = "slanted_triangular"
    last_schedule: str | None = None
    """of the last phase; None: the same"""
    unfreezing: ClassifierUnfreezing = "gradual"
    """chain-thaw has the rates of v2, table 7, and no use for `peak` and `factor`"""
    stages: int | None = None
    """phases of gradual unfreezing before all; None: one a group"""
    stage_epochs: int = 1
    """of each of them"""
    epochs: int = 50
    """of the last phase (v2, footnote 7)"""
    min_steps: int = 0
    """steps that the last phase should have at least: few documents are read more often"""
    patience: int | None = None
    """stop after so many epochs of the last phase without a better one; None: never"""
    keep: Keep = "late"
    """whose weights are kept: "late" is the last epoch of those whose loss on the validation rows
    is the lowest, give or take the error of the difference; "lowest" the one of the lowest loss;
    "last" the last of all"""

    @property
    def idle(self) -> dict[str, str]:
        """The settings that these others have no use for, and why."""
        why = f"where unfreezing is {self.unfreezing!r}"
        idle = dict.fromkeys(IDLE[self.unfreezing], why)
        return idle | ({"patience": "where the last epoch is kept"} if self.keep == "last" else {})

    def check_peak(self) -> None:
        """Raise InputError where there is no peak to look for."""
        if "peak" in self.idle:
            raise InputError(
                f"the unfreezing {self.unfreezing!r} has rates of its own (v2, table 7): "
                "there is no peak to look for"
            )

    def long_enough(self, steps: int) -> ClassifierSettings:
        """With the epochs that `min_steps` asks for, where an epoch has so many steps."""
        return replace(self, epochs=max(self.epochs, math.ceil(self.min_steps / steps)))

    def phases(self, groups: int) -> list[Phase]:
        """The phases for so many layer groups, lowest first."""
        schedule = SCHEDULES[self.schedule]
        last = SCHEDULES[self.last_schedule or self.schedule]
        peaks = discriminative(self.peak, groups, self.factor)
        if self.unfreezing == "chain-thaw":  # v2, table 7
            return chain_thaw(1e-3, 1e-4, groups, self.epochs, schedule, last)
        if self.unfreezing == "last":  # v2, table 7
            return [Phase("last", self.epochs, (groups - 1,), tuple(peaks), last)]
        if self.unfreezing == "all":
            return all_at_once(peaks, self.epochs, last)
        return gradual_unfreezing(
            peaks, self.epochs, schedule, self.stage_epochs, last, self.stages
        )


@dataclass(frozen=True)
class Preset:
    """One way through the whole method."""

    name: str
    language_model: LanguageModelSettings
    classifier: ClassifierSettings
    max_vocabulary: int = 30_000
    keep_vocabulary: bool = False
    """fill the vocabulary's places that the domain leaves free with the language model's words"""
    min_count: int = 2
    """v2 says 30,000 words and no minimum; the scripts keep words seen at least twice"""


V1 = Preset(
    "v1",
    LanguageModelSettings(
        peak=2e-3,  # eq. 1: one rate for all layers
        factor=1.0,
        schedule="cosine",
        unfreezing="warm-up",
        epochs=1,  # "we train for only one epoch"
    ),
    ClassifierSettings(
        factor=V1_FACTOR,
        schedule="constant",  # footnote 2: neither cosine annealing
        unfreezing="all",  # nor gradual unfreezing
        epochs=20,  # v1 is silent; early stopping decides
        patience=5,
        keep="lowest",
    ),
)

V2 = Preset("v2", LanguageModelSettings(), ClassifierSettings())

_SCRIPTS_LM_DROPOUTS = Dropouts(output=0.1, hidden=0.15, input=0.25, embedding=0.02, weight=0.2)

SCRIPTS = Preset(
    "scripts",
    LanguageModelSettings(
        dropouts=_SCRIPTS_LM_DROPOUTS,
        betas=(0.8, 0.99),
        weight_decay=1e-7,
        clip=0.3,
        ratios=(1 / 6, 1 / 3, 1.0, 1 / 2),
        schedule="scripts_lm",
        epochs=25,
    ),
    ClassifierSettings(
        alpha=2.0,  # as in its language model
        beta=1.0,
        batch=32,
        detach_chunks=True,
        betas=(0.8, 0.99),
        weight_decay=1e-6,
        clip=25.0,
        schedule="scripts_stages",
        last_schedule="scripts_last",
        stages=2,
        epochs=14,
    ),
)

DEFAULT = Preset(
    "default",
    replace(
        V2.language_model,
        dropouts=_SCRIPTS_LM_DROPOUTS.scaled(0.5),
        factor=1.3,  # LOG, "Rates to fine-tune en-mini with"
        alpha=0.5,
        beta=0.5,
        batch=128,
        softmax="auto",
        match_frequencies=True,
        min_windows=100,
        epochs=3,
    ),
    replace(
        V2.classifier,
        dropouts=Dropouts(),  # LOG, "The output's dropout in a classifier"
        batch=32,
        epochs=16,  # LOG, "Settings of the classifier on en-mini"
        min_steps=150,  # LOG, "Few documents are read more often"
    ),
    keep_vocabulary=True,
)

PRESETS = {preset.name: preset for preset in (DEFAULT, V1, V2, SCRIPTS)}

PRETRAINING = LanguageModelSettings(
    dropouts=_SCRIPTS_LM_DROPOUTS.scaled(0.2),  # one pass over the text: nothing to overfit
    alpha=0.5,
    beta=0.5,
    betas=(0.8, 0.99),
    weight_decay=1e-7,
    clip=0.3,
    factor=1.0,
    schedule="one_cycle",
    epochs=1,
)
"""The scripts' optimizer with less regularisation, for budgets of about one epoch."""


def preset(name: str) -> Preset:
    """The preset called `name`.

    Raises:
        InputError: there is none of that name.
    """
    if name not in PRESETS:
        raise InputError(f"preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
