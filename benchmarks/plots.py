"""The plot of cost against length and corpus size, out of results.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PANELS = (
    ("by_length", "one document, tokens"),
    ("by_corpus", "IMDb's reviews, tokens together"),
)
STYLES = {"ours": ("o-", "#1f6f8b"), "fastai": ("s--", "#b5651d")}


def draw(results: Mapping[str, Any], path: Path) -> bool:
    """Draw what `growth` measured; False where it has not been measured."""
    part = results.get("parts", {}).get("growth")
    if part is None:
        return False
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for axis, (kind, label) in zip(axes, PANELS, strict=True):
        for side, (style, colour) in STYLES.items():
            sizes, seconds = points(part["sides"][side][kind])
            axis.loglog(sizes, seconds, style, color=colour, markersize=4, label=side)
        _guide(axis, part["sides"]["ours"][kind])
        axis.set_xlabel(label)
        axis.xaxis.set_minor_formatter(NullFormatter())  # they overlap within one decade
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("seconds to predict")
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=140)
    plt.close(figure)
    return True


def points(curve: Mapping[str, float]) -> tuple[list[float], list[float]]:
    """Sizes, rising, and the seconds of each; JSON has made strings of the sizes."""
    pairs = sorted((float(size), seconds) for size, seconds in curve.items())
    return [size for size, _ in pairs], [seconds for _, seconds in pairs]


def _guide(axis: Any, curve: Mapping[str, float]) -> None:
    """A line of slope 1 through the last point: what is linear lies along it."""
    sizes, seconds = points(curve)
    rate = seconds[-1] / sizes[-1]
    axis.loglog(sizes, [rate * size for size in sizes], ":", color="grey", label="linear")
