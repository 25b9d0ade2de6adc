"""What finding settings is worth: the preset, find-rate's suggestion, the best that tune found.

    python experiments/finding_settings.py LM [--labels 300] [--trials 20] [--seeds 0 1 2]

TREC's training questions: LABELS rows are learned from, 1,000 others measure; each seed draws anew.
LM is fine-tuned on the questions. Both ways search on the labelled rows only. No test set is read.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ulmfit.data.sources import read_rows

TREC = Path(__file__).resolve().parents[2] / "shared" / "data" / "trec" / "train_5500.label"
MEASURED = 1000


def ulmfit(*words: object) -> dict[str, Any]:
    """A command's result."""
    call = [sys.executable, "-m", "ulmfit", *map(str, words), "--json"]
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def put(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Rows of text and label as CSV."""
    with open(path, "w", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(rows)
    return path


def study(folder: Path, lm: str, labels: int, trials: int, seed: int) -> dict[str, Any]:
    """Accuracy of each way on rows that none has seen, and its seconds."""
    every = [(row.text, str(row.label)) for row in read_rows([TREC])]
    drawn = np.random.default_rng(seed).permutation(len(every))[: labels + MEASURED]
    known = put(folder / "known.csv", [every[i] for i in drawn[:labels]])
    unseen = put(folder / "unseen.csv", [every[i] for i in drawn[labels:]])
    given = ("--lm", lm, "--no-finetune", "--seed", seed)

    def accuracy(name: str, *settings: object) -> float:
        out = folder / name
        ulmfit("train", known, *given, *settings, "--no-report", "--out", out)
        return float(ulmfit("evaluate", out, unseen)["accuracy"])

    told: dict[str, Any] = {"seed": seed}
    began = time.monotonic()
    told["preset"] = accuracy("preset")
    told["preset_s"] = round(time.monotonic() - began)
    found = ulmfit("find-rate", known, *given)
    settings = ("--settings", json.dumps(found["settings"])) if found["settings"] else ()
    told["rate"] = found["suggestion"]
    told["find_rate"] = accuracy("rate", *settings)
    began = time.monotonic()
    best = ulmfit("tune", known, *given, "--trials", trials, "--out", folder / "search")
    told["tune_s"] = round(time.monotonic() - began)
    told["settings"] = best["settings"]
    told["promised"] = best["trials"][best["best"]]["value"]
    told["tune"] = accuracy("tuned", "--settings", best["settings_file"])
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lm")
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    every = []
    for seed in given.seeds:
        with TemporaryDirectory() as folder:
            every.append(study(Path(folder), given.lm, given.labels, given.trials, seed))
        print(json.dumps(every[-1]), flush=True)
    for way in ("preset", "find_rate", "tune", "promised"):
        figures = [one[way] for one in every]
        spread = stdev(figures) if len(figures) > 1 else float("nan")
        print(f"{way:10} mean {fmean(figures):.4f} sd {spread:.4f}")


if __name__ == "__main__":
    main()
