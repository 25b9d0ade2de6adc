"""fastai: texts to tokens with its default tokenizer (spaCy, its rules)."""

import time
from pathlib import Path
from typing import Any

import documents
from children import Watched
from fastai.text.core import SpacyTokenizer, defaults, parallel_tokenize


def prepare(folder: Path, options: dict[str, Any]):
    texts, _ = documents.texts(folder / "train.json", options["texts"])

    def work() -> dict[str, Any]:
        with Watched() as workers:
            started = time.perf_counter()
            done = parallel_tokenize(
                texts,
                SpacyTokenizer("en"),
                rules=defaults.text_proc_rules,
                n_workers=options["workers"],
            )
            tokens = sum(len(text[1]) for text in done)
            seconds = time.perf_counter() - started
        told = {"tokens": tokens, "worker_mb": workers.megabytes}
        return {"work": len(texts), "seconds": seconds, **told}

    return work
