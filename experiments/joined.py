"""A forward and a backward language model -> one of both directions.

    python experiments/joined.py runs/forward runs/backward runs/both

Each direction of a run is drawn from the seed anew, so two models that were trained apart, on the
same texts from the same language model, are what one run of `--direction both` gives.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.pipeline.cards import language_model_card
from ulmfit.pretrained import open_pretrained


def joined(one: Bundle, other: Bundle) -> Bundle:
    """Both directions; what else is told is the first one's.

    Raises:
        InputError: their words or sizes differ, or both hold the same direction.
    """
    if one.encoder.to_dict() != other.encoder.to_dict() or one.architecture != other.architecture:
        raise InputError("the two language models have other words or other sizes")
    if twice := one.weights.keys() & other.weights.keys():
        raise InputError(f"both language models are {' and '.join(sorted(twice))}")
    metrics = one.metrics | {d: other.metrics[d] for d in other.directions}
    return replace(one, weights=one.weights | other.weights, metrics=metrics)


def main() -> None:
    """Join what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("one")
    parser.add_argument("other")
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    bundle = joined(open_pretrained(asked.one), open_pretrained(asked.other))
    bundles.save(bundle, asked.out, language_model_card(bundle))


if __name__ == "__main__":
    main()
