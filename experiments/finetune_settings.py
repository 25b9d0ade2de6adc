"""Which settings to fine-tune a language model with: held-out nats on a part of a corpus."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ulmfit.corpus import prepare
from ulmfit.pipeline.encoding import domain_encoder
from ulmfit.pipeline.options import Source
from ulmfit.presets import DEFAULT, V2, LanguageModelSettings
from ulmfit.pretrained import open_pretrained
from ulmfit.stages.finetune import finetune

BASE = replace(DEFAULT.language_model, epochs=1)
SCRIPTS = replace(BASE.dropouts, output=0.1, hidden=0.15, input=0.25, embedding=0.02, weight=0.2)
SETTINGS: dict[str, LanguageModelSettings] = {
    "default": BASE,
    "full softmax": replace(BASE, softmax="full"),
    "bias not matched": replace(BASE, match_frequencies=False),
    "batch 64": replace(BASE, batch=64),
    "factor 2.6": replace(BASE, factor=2.6),
    "peak 8e-3": replace(BASE, peak=8e-3),
    "AR 2, TAR 1": replace(BASE, alpha=2.0, beta=1.0),
    "the scripts' dropouts": replace(BASE, dropouts=SCRIPTS),
    "half of the scripts' dropouts": replace(BASE, dropouts=SCRIPTS.scaled(0.5)),
    "a fifth of the scripts' dropouts": replace(BASE, dropouts=SCRIPTS.scaled(0.2)),
    "v2": replace(V2.language_model, epochs=1, softmax="sampled", min_windows=100),
}


def main() -> None:
    """Print held-out nats per token and the time for each setting, one epoch each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--lm", default="en-mini")
    parser.add_argument("--texts", type=int, default=1500)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=SETTINGS)
    asked = parser.parse_args()
    lm = open_pretrained(asked.lm)

    def texts() -> Iterator[str]:
        return islice(Source((asked.corpus,)).texts(), asked.texts)

    encoder = domain_encoder(texts, lm.encoder, 30_000, 2, True, 1)
    for name in asked.settings:
        with tempfile.TemporaryDirectory() as folder:
            corpus = prepare(texts(), encoder, Path(folder) / "corpus")
            run_folder, begun = Path(folder) / "run", time.monotonic()
            run = finetune(lm, corpus, encoder, SETTINGS[name], run_folder)
            try:
                while True:
                    next(run)
            except StopIteration as end:
                nats = end.value.metrics["forward"]["validation"]["loss"]
            seconds = time.monotonic() - begun
        print(f"{name}: {nats:.4f} ({corpus.stats.tokens:,} tokens, {seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
