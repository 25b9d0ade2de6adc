"""What both sides read: the same texts, ids and weights, as files of numpy and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from ulmfit.pipeline.options import Source
from ulmfit.pretrained import open_pretrained

LONGEST = 1400  # words: every side pools them all; 2% of IMDb's reviews are cut


@dataclass(frozen=True)
class Sizes:
    """How much work a round is."""

    tokenise_texts: int = 25_000
    documents: int = 256
    steps: int = 3
    classifier_documents: int = 96

    @classmethod
    def quick(cls) -> Sizes:
        return cls(2_000, 24, 1, 32)


def make(folder: Path, imdb: Path, sizes: Sizes) -> None:
    """Write the texts and ids that the benchmarks share into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    train = list(islice(_texts(imdb, "train"), sizes.tokenise_texts))
    (folder / "train.json").write_text(json.dumps(train))
    count = max(sizes.documents, sizes.classifier_documents)
    rows = list(islice(_rows(imdb, "test"), count))
    (folder / "test.json").write_text(json.dumps([text for text, _ in rows]))
    np.save(folder / "labels.npy", np.array([label == "pos" for _, label in rows], np.int64))
    encoder = open_pretrained("en-mini").encoder
    encoded = encoder.encode_batch([text for text, _ in rows])
    documents = [ids[:LONGEST] for ids in np.split(encoded.ids, encoded.offsets[1:-1])]
    np.save(folder / "ids.npy", np.concatenate(documents).astype(np.int64))
    np.save(folder / "offsets.npy", np.cumsum([0, *map(len, documents)]))
    (folder / "vocabulary.json").write_text(json.dumps(encoder.vocab.tokens))


def _rows(imdb: Path, part: str) -> Iterator[tuple[str, str]]:
    for row in Source((str(imdb / f"{part}.parquet"),)).rows():
        yield row.text, str(row.label)


def _texts(imdb: Path, part: str) -> Iterator[str]:
    return (text for text, _ in _rows(imdb, part))


def make_weights(path: Path, vocabulary: int, embedding: int, hidden: int, layers: int) -> None:
    """Random weights of an encoder and a head for two classes, as both sides' models take them.

    Biases of the head's linear layers are left out: fastai's have none behind a batch norm.
    """
    draw = np.random.default_rng(0)
    sizes = [embedding, *[hidden] * (layers - 1), embedding]
    weights = {"embedding": draw.uniform(-0.5, 0.5, (vocabulary, embedding))}
    for i, (features, units) in enumerate(pairwise(sizes)):
        bound = 2 * units**-0.5
        weights[f"{i}.w_ih"] = draw.uniform(-bound, bound, (4 * units, features))
        weights[f"{i}.w_hh"] = draw.uniform(-bound, bound, (4 * units, units))
        weights[f"{i}.bias"] = draw.uniform(-bound, bound, 4 * units)
    weights["linear1"] = draw.normal(0, 0.3, (50, 3 * embedding))
    weights["linear2"] = draw.normal(0, 0.3, (2, 50))
    np.savez(path, **{name: value.astype(np.float32) for name, value in weights.items()})
