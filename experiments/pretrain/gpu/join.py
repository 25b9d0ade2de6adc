"""Pieces of one direction or of both -> a bundle that every command of ulmfit opens.

python join.py data en-base out/forward-pieces out/backward-pieces
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

import pieces

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.compact import Storage
from ulmfit.corpus import open_corpus
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import Architecture
from ulmfit.pipeline.cards import language_model_card
from ulmfit.text.encoder import Encoder

MEASURED = ("held_out", "test")


def main() -> None:
    """Join what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="what unpack.py wrote")
    parser.add_argument("out", type=Path)
    parser.add_argument("pieces", type=Path, nargs="+")
    parser.add_argument("--storage", choices=get_args(Storage), default="fp32")
    asked = parser.parse_args()
    join(asked.data, asked.out, asked.pieces, asked.storage)


def join(data: Path, out: Path, folders: list[Path], storage: Storage) -> Bundle:
    """Write the bundle.

    Raises:
        InputError: the pieces are not whole, or of models of different sizes.
    """
    models = [pieces.join(folder) for folder in folders]
    shapes = [told["architecture"] for _, told in models]
    if any(shape != shapes[0] for shape in shapes):
        raise InputError(f"{folders[-1]}: not the sizes of {folders[0]}: {shapes}")
    corpus = open_corpus(data / "corpus")
    metrics: dict[str, Any] = {}
    for _, told in models:
        measured = {name: told[name] for name in MEASURED if name in told}
        validation = measured.pop("held_out", {})
        direction = told["asked"]["direction"]
        metrics[direction] = {"validation": validation, "history": told["history"], **measured}
    bundle = Bundle(
        "language-model",
        Architecture(**shapes[0]),
        Encoder.load(data / "tokenizer.json"),
        {told["asked"]["direction"]: weights for weights, told in models},
        preset="pretraining",
        provenance={
            "corpus": {"documents": corpus.stats.documents, "tokens": corpus.stats.tokens},
            "directions": {told["asked"]["direction"]: _training(told) for _, told in models},
        },
        metrics=metrics,
    )
    bundles.save(bundle, out, language_model_card(bundle), storage)
    return bundle


def _training(told: dict[str, Any]) -> dict[str, Any]:
    """Where the weights of one direction come from."""
    asked = told["asked"]
    return {
        "tokens_seen": told["seen"],
        "seconds": round(told["seconds"]),
        "machine": told["machine"],
        "command": "; ".join(told["commands"]),
        "seed": asked["seed"],
        **{name: told[name] for name in ("batch", "share", "storage")},
        **{name: asked[name] for name in ("rate", "dropout", "precision")},
    }


if __name__ == "__main__":
    main()
