"""Which epoch of a classifier to keep: each choice's accuracy on rows of train nobody learned from.

    python experiments/epoch_choice.py ../shared/data/imdb/train.parquet --lm LM --labels 1000

trains once for each seed, keeps the outputs of every epoch on the validation tenth and on other
rows of train, and tells what each way of choosing by the tenth would have given on those.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ulmfit.bundle import Bundle
from ulmfit.data.rows import Row
from ulmfit.manifest import TargetConfig
from ulmfit.metrics import accuracy
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.options import Source
from ulmfit.presets import DEFAULT
from ulmfit.pretrained import open_pretrained
from ulmfit.stages.classifier_loop import VALID_FRACTION, Labelled, classifier_loop
from ulmfit.stages.deciding import Policy, epoch_figures
from ulmfit.targets.answers import nats, probabilities
from ulmfit.targets.calibration import fit_temperature
from ulmfit.targets.splitting import stratified_split
from ulmfit.tasks import document_logits
from ulmfit.text.specials import PADDING_ID
from ulmfit.training.loop import EpochEnd

Floats = NDArray[np.float64]
Epochs = list[Floats]
"""of each epoch the outputs (texts, directions, classes)"""
Choice = Callable[[Epochs, NDArray[np.int64]], int]
AVERAGED = 4  # last epochs, in the mean of weights


def loss(logits: Floats, labels: NDArray[np.int64], temperature: float = 1.0) -> float:
    """Mean nats of the labels."""
    return float(nats(probabilities(logits, "single", temperature), labels, "single").mean())


def calibrated_nats(logits: Floats, labels: NDArray[np.int64]) -> Floats:
    """Nats of each label, after the temperature that they ask for."""
    temperature = fit_temperature(logits, labels, "single")
    return nats(probabilities(logits, "single", temperature), labels, "single")


def calibrated(logits: Floats, labels: NDArray[np.int64]) -> float:
    """Their mean."""
    return float(calibrated_nats(logits, labels).mean())


def right(logits: Floats, labels: NDArray[np.int64]) -> float:
    """Share of right answers."""
    return accuracy(labels, logits.mean(1).argmax(1))


def within(border: Callable[[dict[str, float], dict[str, float]], float]) -> Choice:
    """The last epoch whose calibrated loss is at most `border` above the lowest."""

    def choose(epochs: Epochs, y: NDArray[np.int64]) -> int:
        told = [epoch_figures(e, y, TargetConfig(), Policy(calibrate=True)) for e in epochs]
        lowest = min(told, key=lambda f: f["final_loss"])
        above = [f["final_loss"] - lowest["final_loss"] for f in told]
        return max(i for i, f in enumerate(told) if above[i] <= border(lowest, f))

    return choose


def not_worse(epochs: Epochs, y: NDArray[np.int64]) -> int:
    """The last that loses by less than a standard error of its differences from the lowest."""
    each = np.stack([calibrated_nats(e, y) for e in epochs])
    worse = each - each[each.mean(1).argmin()]
    error = worse.std(1, ddof=1) / math.sqrt(len(y))
    return int(np.flatnonzero(worse.mean(1) <= error)[-1])


CHOICES: dict[str, Choice] = {
    "loss": lambda epochs, y: int(np.argmin([loss(e, y) for e in epochs])),
    "calibrated loss": lambda epochs, y: int(np.argmin([calibrated(e, y) for e in epochs])),
    "accuracy, then calibrated loss": lambda epochs, y: min(
        range(len(epochs)), key=lambda i: (-right(epochs[i], y), calibrated(epochs[i], y))
    ),
    "the last within a standard error": within(lambda lowest, _: lowest["standard_error"]),
    "the last within both's": within(
        lambda lowest, late: math.hypot(lowest["standard_error"], late["standard_error"])
    ),
    "the last that is not surely worse": not_worse,
    "the last": lambda epochs, y: len(epochs) - 1,
}


def trained(
    lm: Bundle, data: Labelled, names: list[str], held_out: Labelled, epochs: int, seed: int
) -> tuple[NDArray[np.int64], list[Epochs]]:
    """Train once: the validation rows' numbers; outputs of each epoch on them and on `held_out`.

    The last outputs are those of the mean of the last epochs' weights.
    """
    settings = replace(DEFAULT.classifier, epochs=epochs, min_steps=0)
    loop = classifier_loop(lm, data, names, settings, seed=seed)
    valid = stratified_split(data.labels, names, VALID_FRACTION, seed, "single")[1]
    documents = [[data.documents[i] for i in valid], held_out.documents]
    told: list[Epochs] = [[], []]
    kept = []

    def measure() -> None:
        for part, outputs in zip(documents, told, strict=True):
            outputs.append(document_logits(loop.model, part, PADDING_ID)[:, None])

    for record in loop.run():
        if isinstance(record, EpochEnd):
            measure()
            kept = [*kept, deepcopy(loop.model.state_dict())][-AVERAGED:]
    mean = {name: sum(state[name] for state in kept) / len(kept) for name in kept[0]}
    loop.model.load_state_dict(mean)
    measure()
    return valid, told


def main() -> None:
    """Print, for each seed, what each choice gives on the held-out rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("--lm", required=True)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--held-out", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=DEFAULT.classifier.epochs)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    source, lm = Source((asked.train,)), open_pretrained(asked.lm)
    rows = list(source.rows())

    def encoded(chosen: list[Row], names: list[str]) -> Labelled:
        documents = [lm.encoder.encode(row.text).astype(np.int64) for row in chosen]
        return Labelled(documents, np.array([names.index(str(row.label)) for row in chosen]))

    for seed in asked.seeds:
        draw = draw_labels(source, asked.labels, seed)
        names = list(draw.names)
        rest = np.setdiff1d(np.arange(len(rows)), draw.rows)
        drawn = np.random.default_rng(seed).permutation(rest)[: asked.held_out]
        data = encoded([rows[i] for i in draw.rows], names)
        held_out = encoded([rows[i] for i in drawn], names)
        valid, (on_valid, on_rest) = trained(lm, data, names, held_out, asked.epochs, seed)
        y = data.labels[valid]
        told: dict[str, object] = {"seed": seed, "valid": len(y)}
        told["each"] = [round(100 * right(e, held_out.labels), 2) for e in on_rest]
        told["each valid"] = [round(100 * right(e, y), 1) for e in on_valid]
        for name, choose in CHOICES.items():
            number = choose(on_valid[:-1], y)
            temperature = fit_temperature(on_valid[number], y, "single")
            told[name] = [
                number + 1,
                round(100 * right(on_rest[number], held_out.labels), 2),
                round(loss(on_rest[number], held_out.labels, temperature), 4),
            ]
        temperature = fit_temperature(on_valid[-1], y, "single")
        told[f"mean of the last {AVERAGED}"] = [
            round(100 * right(on_rest[-1], held_out.labels), 2),
            round(loss(on_rest[-1], held_out.labels, temperature), 4),
        ]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
