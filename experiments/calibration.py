"""Which temperature a few held-out rows should choose: none, the likeliest, or a cautious one.

    python experiments/calibration.py SET LABELS SEEDS [--language-model LM]

SET is `trec` (coarse classes) or `ag`. A classifier is trained on LABELS rows of the training set
without fine-tuning the language model; a tenth of them chooses the temperature, and up to 1,000
rows that were not drawn measure it: log loss and calibration error without a temperature, with the
likeliest one, and with those of log-normal priors of several widths. No test set is read.
"""

import argparse
import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from ulmfit.bundle import Bundle
from ulmfit.pipeline.drawing import Draw, draw_labels
from ulmfit.pipeline.options import Source
from ulmfit.predict import Predictor
from ulmfit.presets import preset
from ulmfit.pretrained import FASTER, open_pretrained
from ulmfit.stages.classify import VALID_FRACTION, Labelled, classify, stratified_split
from ulmfit.stages.deciding import calibration_error
from ulmfit.targets.answers import nats, probabilities
from ulmfit.targets.calibration import fit_temperature

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = {
    "trec": Source((str(DATA / "trec" / "train_5500.label"),)),
    "ag": Source((str(DATA / "ag-news" / "train-5k.csv"),)),
}
PRIORS = (
    *((1.0, spread) for spread in (math.inf, 1.0, 0.5, 0.25)),
    *((centre, spread) for centre in (1.4, 1.6, 2.0) for spread in (0.25, 0.4, 0.6)),
)
"""where T lies before any text was seen, and the standard deviation of its logarithm"""
MEASURED = 1000
Logits = NDArray[np.float64]


def trained(lm: Bundle, texts: list[str], draw: Draw, seed: int) -> Bundle:
    documents = [ids.astype(np.int64) for ids in map(lm.encoder.encode, texts)]
    with TemporaryDirectory() as folder:
        stage = classify(
            lm,
            Labelled(documents, draw.labels),
            draw.names,
            preset("default").classifier,
            Path(folder),
            seed=seed,
        )
        while True:
            try:
                next(stage)
            except StopIteration as end:
                bundle: Bundle = end.value
                return bundle


def study(source: Source, labels: int, seed: int, lm: Bundle) -> dict[str, object]:
    every = draw_labels(source, None, 0)
    texts = list(every.texts(source))
    drawn = draw_labels(source, labels, seed)
    place = {row: i for i, row in enumerate(every.rows.tolist())}
    mine = np.array([place[row] for row in drawn.rows.tolist()])
    others = np.setdiff1d(np.arange(len(texts)), mine)
    others = np.random.default_rng(seed).permutation(others)[:MEASURED]
    bundle = trained(lm, [texts[i] for i in mine], drawn, seed)
    predictor = Predictor(bundle)

    def logits(rows: NDArray[np.int64]) -> Logits:
        return np.stack(list(predictor.logits([texts[i] for i in rows])))

    valid = mine[stratified_split(drawn.labels, drawn.names, VALID_FRACTION, seed)[1]]
    chosen, measured = logits(valid), logits(others)
    temperatures = {"none": 1.0} | {
        f"{centre:g}, {spread:g}": fit_temperature(
            chosen, every.labels[valid], "single", centre, spread
        )
        for centre, spread in PRIORS
    }
    told: dict[str, object] = {"labels": labels, "seed": seed, "valid": len(valid)}
    for name, temperature in temperatures.items():
        rows = probabilities(measured, "single", temperature)
        told[name] = {
            "temperature": round(temperature, 3),
            "log_loss": round(float(nats(rows, every.labels[others], "single").mean()), 4),
            "error": round(calibration_error(rows, every.labels[others], "single"), 4),
        }
    return told


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("set", choices=SETS)
    arguments.add_argument("labels", type=int)
    arguments.add_argument("seeds", type=int)
    arguments.add_argument("--language-model", default=FASTER)
    given = arguments.parse_args()
    lm = open_pretrained(given.language_model)
    for seed in range(given.seeds):
        print(json.dumps(study(SETS[given.set], given.labels, seed, lm)), flush=True)


if __name__ == "__main__":
    main()
