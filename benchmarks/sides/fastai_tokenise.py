"""fastai: texts to tokens with its default tokenizer (spaCy, its rules)."""

import resource
import time
from pathlib import Path
from typing import Any

import documents
from fastai.text.core import SpacyTokenizer, defaults, parallel_tokenize


def prepare(folder: Path, options: dict[str, Any]):
    texts, _ = documents.texts(folder / "train.json", options["texts"])

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        done = parallel_tokenize(
            texts,
            SpacyTokenizer("en"),
            rules=defaults.text_proc_rules,
            n_workers=options["workers"],
        )
        tokens = sum(len(text[1]) for text in done)
        seconds = time.perf_counter() - started
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {"work": len(texts), "seconds": seconds, "tokens": tokens, "worker_mb": child}

    return work
