"""fastai: texts to tokens with its default tokenizer (spaCy, its rules) and two workers."""

import json
import time
from pathlib import Path
from typing import Any

from fastai.text.core import SpacyTokenizer, defaults, parallel_tokenize


def prepare(folder: Path, options: dict[str, Any]):
    texts = json.loads((folder / "train.json").read_text())

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        done = parallel_tokenize(
            texts,
            SpacyTokenizer("en"),
            rules=defaults.text_proc_rules,
            n_workers=options["workers"],
        )
        tokens = sum(len(text[1]) for text in done)
        return {"work": len(texts), "seconds": time.perf_counter() - started, "tokens": tokens}

    return work
