"""One set, three kinds of target: IMDb's stars as classes, as ranks and as numbers.

    python experiments/star_ratings.py FOLDER [--labels N] [--words N] [--seed N]

The stars (1 to 4 and 7 to 10) stand in the ids of the training part. N short reviews are learned
from, 1,000 others measured: accuracy, mean distance in stars and quadratic kappa of each kind; of
numbers the nearest rank that there is. The language model is the embedded one, not fine-tuned.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ulmfit.metrics import accuracy, quadratic_kappa
from ulmfit.pipeline import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.predict import Predictor

IMDB = Path(__file__).resolve().parents[2] / "shared" / "data" / "imdb" / "train.parquet"
MEASURED = 1000
KINDS = ("single", "ordinal", "real")


def reviews(words: int, count: int, seed: int) -> list[tuple[str, int]]:
    rows = pq.read_table(IMDB, columns=["id", "text"]).to_pylist()
    short = [(r["text"], int(r["id"].rsplit("_", 1)[1])) for r in rows]
    short = [row for row in short if len(row[0].split()) <= words]
    order = np.random.default_rng(seed).permutation(len(short))[:count]
    return [short[i] for i in order]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--labels", type=int, default=1000)
    arguments.add_argument("--words", type=int, default=120)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    rows = reviews(given.words, given.labels + MEASURED, given.seed)
    learned, measured = rows[: given.labels], rows[given.labels :]
    with open(given.folder / "train.csv", "w", newline="", encoding="utf8") as file:
        csv.writer(file).writerows([("text", "label"), *learned])
    stars = np.array([star for _, star in measured])
    ranks = np.unique([star for _, star in rows])
    for kind in KINDS:
        options = TrainOptions(
            Source((str(given.folder / "train.csv"),)),
            str(given.folder / kind),
            Machine(seed=given.seed, workers=1),
            finetune=False,
            direction="forward",
            task=kind,
        )
        run = train(options, overwrite=True)
        while True:
            try:
                next(run)
            except StopIteration as end:
                bundle = end.value
                break
        answers = Predictor(bundle).answers(text for text, _ in measured)
        told = np.array([float(answer.label) for answer in answers])
        nearest = ranks[np.abs(told[:, None] - ranks).argmin(1)]
        kappa = quadratic_kappa(stars, nearest)
        print(
            f"{kind}: accuracy {accuracy(stars, nearest):.3f}, mean distance "
            f"{np.abs(told - stars).mean():.3f} stars, quadratic kappa {kappa:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
