"""Which rates to fine-tune a language model with: held-out nats on a part of IMDb's train."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ulmfit.corpus import prepare
from ulmfit.pipeline.encoding import domain_encoder
from ulmfit.pipeline.options import Source
from ulmfit.presets import DEFAULT, LanguageModelSettings
from ulmfit.pretrained import open_pretrained
from ulmfit.stages.finetune import finetune

BASE = replace(DEFAULT.language_model, epochs=1, factor=2.6, alpha=2.0, beta=1.0, peak=4e-3)
SETTINGS: dict[str, LanguageModelSettings] = {
    "v2's rates: factor 2.6, peak 4e-3": BASE,
    "factor 1.3": replace(BASE, factor=1.3),
    "factor 1.3, AR .5, TAR .5": replace(BASE, factor=1.3, alpha=0.5, beta=0.5),
    "factor 1.3, peak 8e-3": replace(BASE, factor=1.3, peak=8e-3),
}


def main() -> None:
    """Print held-out nats per token for each setting, one epoch each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--lm", default="en-mini")
    parser.add_argument("--texts", type=int, default=1500)
    asked = parser.parse_args()
    lm = open_pretrained(asked.lm)

    def texts() -> Iterator[str]:
        return islice(Source((asked.corpus,)).texts(), asked.texts)

    encoder = domain_encoder(texts, lm.encoder, 30_000, 2, True, 1)
    for name, settings in SETTINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            corpus = prepare(texts(), encoder, Path(folder) / "corpus")
            run = finetune(lm, corpus, encoder, settings, Path(folder) / "run")
            try:
                while True:
                    next(run)
            except StopIteration as end:
                print(
                    f"{name}: {end.value.metrics['forward']['validation']['loss']:.4f}", flush=True
                )


if __name__ == "__main__":
    main()
