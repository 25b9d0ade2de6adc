"""What all sides read: the same texts, ids and weights, as files of numpy and JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sizes import Sizes
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import Architecture
from ulmfit.pipeline.options import Source
from ulmfit.pretrained import FASTER, HERE, open_pretrained
from ulmfit.text.encoder import Encoder

LONGEST = 1400  # words: every side pools them all; 2% of IMDb's reviews are cut
SPARE = 10  # times as many documents as are taken are drawn from
WORDS = 100  # of a text alone
WEIGHTS = "weights.npz"

Rows = Sequence[tuple[str, str]]
"""(text, label)"""


def make(folder: Path, imdb: Path, sizes: Sizes) -> None:
    """Write what the benchmarks share into `folder`; what a call finished is not made again.

    Raises:
        InputError: `imdb` is not there.
    """
    told, model = folder / "material.json", json.loads((HERE / FASTER / "config.json").read_text())
    wanted = json.dumps({"sizes": repr(sizes), "imdb": str(imdb.absolute()), "model": model})
    if told.exists() and told.read_text() == wanted:
        return
    files = {part: _file(imdb, part) for part in ("train", "test")}
    folder.mkdir(parents=True, exist_ok=True)
    told.unlink(missing_ok=True)
    _forget_models(folder)
    encoder = open_pretrained(FASTER).encoder
    count = max(sizes.tokenise, sizes.fit, SPARE * sizes.train[0])
    train = _rows(files["train"], count)
    test = _rows(files["test"], max(SPARE * sizes.predict[0], *sizes.corpora))
    _write_texts(folder / "train.json", train)
    _write_documents(folder / "train", _stratified(train, encoder, *sizes.train), encoder)
    chosen = _stratified(test, encoder, *sizes.predict)
    _write_texts(folder / "test.json", chosen)
    _write_documents(folder / "test", chosen, encoder)
    _write_documents(folder / "corpus", test, encoder)
    (folder / "single.json").write_text(json.dumps(_of_words(test)))
    make_weights(folder / WEIGHTS, sizes.architecture)
    told.write_text(wanted)


def _forget_models(folder: Path) -> None:
    """What systems saved was made of other material."""
    for path in folder.glob("system_*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _file(imdb: Path, part: str) -> Path:
    found = sorted(imdb.glob(f"{part}.*"))
    if not found:
        raise InputError(
            f"{imdb}: no file {part}.*; `ulmfit data imdb` fetches IMDb, --imdb names it"
        )
    return found[0]


def _rows(file: Path, count: int) -> list[tuple[str, str]]:
    rows = Source((str(file),)).rows()
    return [(row.text, str(row.label)) for row in islice(rows, count)]


def _stratified(rows: Rows, encoder: Encoder, count: int, batch: int) -> Rows:
    """Rows in batches of one length each, as far apart in length as if all were sorted.

    Every library sorts by length before it pads: a few batches out of many, rather than a few
    documents of all lengths, have the padding that a whole corpus has.
    """
    drawn = list(rows)[: SPARE * count]
    encoded = encoder.encode_batch([text for text, _ in drawn])
    chosen = spread_batches(np.diff(encoded.offsets), count // batch, batch)
    return [drawn[i] for i in np.random.default_rng(0).permutation(chosen)]


def spread_batches(lengths: NDArray[np.int64], wanted: int, batch: int) -> NDArray[np.int64]:
    """`wanted` of the batches that documents sorted by length make, evenly spread over them."""
    order = np.argsort(lengths, kind="stable")
    groups = len(order) // batch
    places = ((np.arange(wanted) + 0.5) * groups / wanted).astype(np.int64)
    return np.concatenate([order[p * batch : (p + 1) * batch] for p in places])


def _write_texts(path: Path, rows: Rows) -> None:
    texts, labels = zip(*rows, strict=True)
    path.write_text(json.dumps({"texts": texts, "labels": labels}))


def _write_documents(folder: Path, rows: Rows, encoder: Encoder) -> None:
    folder.mkdir(exist_ok=True)
    encoded = encoder.encode_batch([text for text, _ in rows])
    documents = [ids[:LONGEST] for ids in np.split(encoded.ids, encoded.offsets[1:-1])]
    np.save(folder / "ids.npy", np.concatenate(documents).astype(np.int64))
    np.save(folder / "offsets.npy", np.cumsum([0, *map(len, documents)]))
    np.save(folder / "labels.npy", np.array([label == "pos" for _, label in rows], np.int64))


def _of_words(rows: Rows) -> list[str]:
    """A text of `WORDS` words out of each review that has so many; no two are the same."""
    words = [text.split() for text, _ in rows]
    return [" ".join(w[:WORDS]) for w in words if len(w) >= WORDS]


def make_weights(path: Path, sizes: Architecture) -> None:
    """Random weights of an encoder and a head for two classes, as both sides' models take them.

    Biases of the head's linear layers are left out: fastai's have none behind a batch norm.
    """
    draw = np.random.default_rng(0)
    weights: dict[str, Any] = {
        "embedding": draw.uniform(-0.5, 0.5, (sizes.vocabulary, sizes.embedding))
    }
    for i, (features, units) in enumerate(sizes.layer_sizes()):
        bound = 2 * units**-0.5
        weights[f"{i}.w_ih"] = draw.uniform(-bound, bound, (4 * units, features))
        weights[f"{i}.w_hh"] = draw.uniform(-bound, bound, (4 * units, units))
        weights[f"{i}.bias"] = draw.uniform(-bound, bound, 4 * units)
    weights["linear1"] = draw.normal(0, 0.3, (50, 3 * sizes.embedding))
    weights["linear2"] = draw.normal(0, 0.3, (2, 50))
    np.savez(path, **{name: value.astype(np.float32) for name, value in weights.items()})
