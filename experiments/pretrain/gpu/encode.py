"""Texts -> what prepare.sh takes: a folder with `tokenizer.json` and `corpus/`, nothing trained.

    python encode.py articles.parquet --text title --text text --out runs/wiki-ids

They are the bytes that `ulmfit pretrain` makes of the same texts before it trains.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ulmfit.corpus import prepare
from ulmfit.pipeline.encoding import cached_encoder, in_pieces
from ulmfit.pipeline.options import Source, cores
from ulmfit.text import build_encoder


def main() -> None:
    """Count the words, then turn the texts into ids."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--text", action="append", default=[], help="column; repeat to join")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    source = Source(tuple(asked.files), tuple(asked.text)).without_labels()
    source.check()

    def texts() -> Iterator[str]:
        return in_pieces(source.texts())

    build = partial(build_encoder, workers=cores())
    encoder = cached_encoder(asked.out / "tokenizer.json", build, texts)
    corpus = prepare(texts(), encoder, asked.out / "corpus", cores())
    print(f"{corpus.stats.documents:,} documents, {corpus.stats.tokens:,} tokens: {asked.out}")


if __name__ == "__main__":
    main()
