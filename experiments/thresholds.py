"""How many texts a label needs for a threshold of its own, and whether rare labels begin as rare.

    python experiments/thresholds.py LABELS SEEDS [--language-model LM] [--even-start]

TREC's training questions with their coarse and fine class as two labels of a set (56 labels, most
of them rare). A tenth of LABELS rows chooses the thresholds; up to 1,000 rows that were not drawn
measure them. `--even-start` begins with even odds for every label. No test set is read.
"""

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ulmfit.data.sources import read_rows
from ulmfit.metrics import score_sets
from ulmfit.predict import Predictor
from ulmfit.presets import preset
from ulmfit.pretrained import FASTER, open_pretrained
from ulmfit.stages import classify as stage
from ulmfit.stages.classify import VALID_FRACTION, Labelled, classify
from ulmfit.targets import decisions
from ulmfit.targets.answers import probabilities
from ulmfit.targets.drawing import balanced
from ulmfit.targets.encoding import encode
from ulmfit.targets.splitting import stratified_split

TREC = Path(__file__).resolve().parents[2] / "shared" / "data" / "trec" / "train_5500.label"
FEW = (1, 5, 10, 20, 50, 10**9)
MEASURED = 1000


def study(labels: int, seed: int, language_model: str) -> dict[str, object]:
    rows = list(read_rows([TREC]))
    coded = encode([(str(row.label), str(row.fields["fine"])) for row in rows])
    drawn = balanced(coded.labels, len(coded.names), "multi", labels, seed)
    others = np.setdiff1d(np.arange(len(rows)), drawn)
    others = np.random.default_rng(seed).permutation(others)[:MEASURED]
    lm = open_pretrained(language_model)
    documents = [lm.encoder.encode(rows[i].text).astype(np.int64) for i in drawn]
    began = time.monotonic()
    data = Labelled(documents, coded.labels[drawn])
    with TemporaryDirectory() as folder:
        run = classify(
            lm,
            data,
            coded.names,
            preset("default").classifier,
            Path(folder),
            seed=seed,
            kind="multi",
        )
        while True:
            try:
                next(run)
            except StopIteration as end:
                bundle = end.value
                break
    predictor = Predictor(bundle)
    valid = stratified_split(data.labels, coded.names, VALID_FRACTION, seed, "multi")[1]

    def answered(numbers: np.ndarray) -> np.ndarray:
        logits = np.stack(list(predictor.logits([rows[i].text for i in numbers])))
        return probabilities(logits, "multi")

    chosen, measured = answered(drawn[valid]), answered(others)
    told: dict[str, object] = {
        "labels": labels,
        "seed": seed,
        "valid": len(valid),
        "epochs": len(bundle.metrics["forward"]["history"]),
        "seconds": round(time.monotonic() - began),
    }
    ways: dict[str, tuple[float, ...]] = {"0.5": ()}
    for few in FEW:
        decisions.FEW = few
        ways[f"own from {few}"] = decisions.choose_thresholds(chosen, data.labels[valid])
    for name, thresholds in ways.items():
        answers = decisions.decide(measured, "multi", thresholds)
        scores = score_sets(coded.labels[others], answers, measured)
        told[name] = [
            round(x, 4) for x in (scores.micro_f1, scores.macro_f1, scores.subset_accuracy)
        ]
    told["log_loss"] = round(scores.log_loss, 5)
    return told


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("labels", type=int)
    arguments.add_argument("seeds", type=int)
    arguments.add_argument("--language-model", default=FASTER)
    arguments.add_argument("--even-start", action="store_true")
    given = arguments.parse_args()
    if given.even_start:
        stage.outset = lambda labels, kind: None  # type: ignore[assignment]
    for seed in range(given.seeds):
        print(json.dumps(study(given.labels, seed, given.language_model)), flush=True)


if __name__ == "__main__":
    main()
