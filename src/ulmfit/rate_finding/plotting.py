"""The picture of a range test: loss against rate, and where the suggestion lies."""

from __future__ import annotations

import io
from pathlib import Path

from ulmfit.errors import InputError
from ulmfit.files import check_destination, write_atomically
from ulmfit.rate_finding.sweeping import FoundRate

FORMATS = (".png", ".svg", ".pdf")
INK, FAINT, MARK = "#1f4e79", "#9db8d2", "#c0392b"


def check_picture(path: Path) -> None:
    """Refuse now what could not be drawn later.

    Raises:
        InputError: no such format, or no such folder.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: a picture is drawn as {', '.join(FORMATS)}")
    check_destination(path)


def plot(found: FoundRate, path: Path) -> None:
    """Draw the curve into a file; its ending says how.

    Raises:
        InputError: as `check_picture`.
        OSError: the disk is full, and the like.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    curve = found.curve
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(curve.rates, curve.losses, color=FAINT, linewidth=1, label="each batch")
    axes.plot(curve.rates, curve.smoothed, color=INK, linewidth=2, label="smoothed")
    for rate, told, style in (
        (curve.suggestion, "suggestion", "-"),
        (found.preset_peak, "preset", ":"),
    ):
        if rate is not None and curve.rates[0] <= rate <= curve.rates[-1]:
            axes.axvline(rate, color=MARK, linestyle=style, label=f"{told} {rate:.2g}")
    low, high = min(curve.smoothed), max(curve.smoothed[0], min(curve.smoothed))
    reach = max(high - low, 1e-3)
    axes.set(
        xscale="log",
        xlabel="learning rate of the last layer group",
        ylabel="loss",
        ylim=(low - 0.2 * reach, high + 0.8 * reach),
        title=f"{found.stage.replace('-', ' ')}, {found.direction}, phase {curve.phase!r}",
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format=path.suffix.lower().removeprefix("."), dpi=150)
    write_atomically(path, drawn.getvalue())
