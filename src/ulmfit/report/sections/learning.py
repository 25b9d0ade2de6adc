"""How it learned: losses and figures over the epochs, and the rate of each layer group."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ulmfit.report.charts.lines import Border, Line, lines
from ulmfit.report.examination import Findings
from ulmfit.report.history import Epoch, Stage
from ulmfit.report.markup import Child, Markup, element, join
from ulmfit.report.numbers import figure, percent, plural
from ulmfit.report.sections.frame import drawing, drawings, folded, section
from ulmfit.report.tables import table
from ulmfit.targets.kinds import Floats

NATS, VARIANCE = "nats", "of the variance"  # units of a loss
POINTS = 160  # of a curve; more cannot be seen
FEWEST, EACH = 20, 6  # points of a loss curve, and steps that one is the mean of, if there are few
WINDOW = 7  # steps of which a rate is the median where windows of random length scale it
TITLES = {
    "pretrain": "Pretraining",
    "finetune": "Fine-tuning the language model",
    "classifier": "The classifier",
    "language model": "The language model",
}
SHOWN = {  # figure of the held-out rows -> its title
    "accuracy": "Accuracy on the held-out rows",
    "micro_f1": "Micro F1 on the held-out rows",
    "mae": "Mean distance on the held-out rows",
}
SHARES = ("accuracy", "micro_f1")
COLUMNS = {
    "loss": "Held-out loss",
    "accuracy": "Accuracy",
    "micro_f1": "Micro F1",
    "mae": "Mean distance",
    "perplexity": "Perplexity",
}
EPOCHS = 20  # that are shown beside the charts


def learning(found: Findings) -> Markup | None:
    """Nothing where neither steps nor epochs were kept."""
    if not found.stages:
        return None
    several = len({s.direction for s in found.stages}) > 1
    real = found.bundle.target.kind == "real"
    units = [VARIANCE if real and s.name == "classifier" else NATS for s in found.stages]
    shown = [_stage(s, several, unit) for s, unit in zip(found.stages, units, strict=True)]
    return section("learning", "How it learned", *shown)


def _stage(stage: Stage, several: bool, unit: str) -> Markup:
    title = TITLES.get(stage.name, stage.name)
    title = f"{title}, {stage.direction}" if several else title
    return join(
        element("h3", title, class_="stage"),
        drawings(*_drawn(stage, unit)),
    )


def _drawn(stage: Stage, unit: str) -> list[Markup | None]:
    """The charts; the epochs beside them where they are few, else on request."""
    charts = [_losses(stage, unit), _figures(stage), _rates(stage)]
    if len(stage.epochs) > EPOCHS or charts[1] is None:
        return [*charts, folded("Each epoch", _epochs(stage))]
    return [*charts, element("div", element("h3", "Each epoch"), _epochs(stage))]


def _epochs(stage: Stage) -> Markup:
    """A table of the epochs."""
    names = list(dict.fromkeys(n for e in stage.epochs for n in e.figures if n in COLUMNS))
    header = ("Epoch", "Training loss", *(COLUMNS[n] for n in names))
    rows = [_epoch(e, names, kept=e is stage.best) for e in stage.epochs]
    return table(f"The epochs of {TITLES.get(stage.name, stage.name)}", header, rows)


def _epoch(epoch: Epoch, names: Sequence[str], kept: bool) -> list[Child]:
    number = element("strong", f"{epoch.number}, kept") if kept else str(epoch.number)
    figures = [
        percent(epoch.figures.get(n)) if n in SHARES else figure(epoch.figures.get(n), 4)
        for n in names
    ]
    return [number, figure(epoch.train_loss, 4), *figures]


def _key(stage: Stage, what: str) -> str:
    return f"{what}-{stage.name.replace(' ', '-')}-{stage.direction}"


def _borders(stage: Stage) -> list[Border]:
    """Where a phase begins; nothing where there is one only."""
    if len(stage.phases) < 2:
        return []
    return [Border(float(phase.begin), phase.name) for phase in stage.phases]


def _end(stage: Stage) -> float:
    return float(max([e.number for e in stage.epochs] + [math.ceil(a) for a in stage.at[-1:]]))


def _losses(stage: Stage, unit: str) -> Markup:
    if stage.at:
        train = Line("training", _thinned(stage.at, stage.losses), "train")
    else:
        train = Line("training", [(float(e.number), e.train_loss) for e in stage.epochs], "train")
    held = [(float(e.number), e.figures.get("loss", math.nan)) for e in stage.epochs]
    best = stage.best
    ringed = stage.epochs.index(best) if best else None
    curves = [train]
    if best is not None:
        curves.append(Line("held out", held, "held-out", dots=True, ringed=ringed))
    kept = (
        f"The weights of epoch {best.number} were kept (ringed): "
        f"{figure(best.figures['loss'])} {unit} on the held-out part."
        if best
        else "Nothing was held out: the weights of the last epoch were kept."
    )
    chart = lines(
        _key(stage, "loss"),
        "Loss over the epochs",
        kept,
        curves,
        "epochs",
        borders=_borders(stage),
        horizontal=(0.0 if stage.at else 1.0, max(_end(stage), 1.0 if stage.at else 2.0)),
    )
    squared = "Loss, squared error as a share of the variance"
    return drawing(chart, squared if unit == VARIANCE else f"Loss, {unit}", kept)


def _thinned(at: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """The means of so many stretches of neighbouring steps as can be seen."""
    count = min(POINTS, max(FEWEST, len(at) // EACH), len(at))
    pieces = np.array_split(np.arange(len(at)), count)
    places, known = np.array(at), np.array(values)
    return [(float(places[p].mean()), float(np.mean(known[p]))) for p in pieces]


def _figures(stage: Stage) -> Markup | None:
    name = next((n for n in SHOWN if any(n in e.figures for e in stage.epochs)), None)
    if name is None or len(stage.epochs) < 2:
        return None
    is_share = name in SHARES
    points = [(float(e.number), e.figures.get(name, math.nan)) for e in stage.epochs]
    best = stage.best
    written = (lambda v: percent(v, 0)) if is_share else figure
    last = written(points[-1][1])
    told = f"After {plural(len(points), 'epoch')} {last}."
    if best is not None:
        told = f"{written(best.figures[name])} at the epoch that was kept; {last} at the last one."
    curve = Line(
        "", points, "held-out", dots=True, ringed=stage.epochs.index(best) if best else None
    )
    chart = lines(
        _key(stage, name),
        SHOWN[name],
        told,
        [curve],
        "epochs",
        borders=_borders(stage),
        horizontal=(0.0 if stage.at else 1.0, max(_end(stage), 2.0)),
        written=written,
    )
    return drawing(chart, SHOWN[name], told)


def _rates(stage: Stage) -> Markup | None:
    if not stage.rates or not any(rate > 0 for rates in stage.rates for rate in rates):
        return None
    rates = _steadied(stage)
    curves = [
        Line(name, _rate_points(stage.at, rates[:, i]), f"group-{min(i, 5)}")
        for i, name in enumerate(stage.groups)
    ]
    peaks = [f"{name} {figure(float(rates[:, i].max()), 2)}" for i, name in enumerate(stage.groups)]
    told = f"Peaks: {', '.join(peaks)}. Where a line is missing, the group was frozen."
    chart = lines(
        _key(stage, "rates"),
        "Learning rate of each layer group",
        told,
        curves[::-1],
        "epochs",
        borders=_borders(stage),
        log=True,
        horizontal=(0.0, _end(stage)),
        written=_power,
    )
    return drawing(chart, "Learning rate of each layer group", told)


def _steadied(stage: Stage) -> Floats:
    """(steps, groups): a language model's rates are scaled by the random length of the window."""
    rates = np.array(stage.rates)
    if stage.name == "classifier" or len(rates) < WINDOW:
        return rates
    padded = np.pad(rates, ((WINDOW // 2, WINDOW // 2), (0, 0)), mode="edge")
    steady: Floats = np.median(np.lib.stride_tricks.sliding_window_view(padded, WINDOW, 0), -1)
    return steady


def _rate_points(at: Sequence[float], rates: Floats) -> list[tuple[float, float]]:
    """The medians of as many stretches as can be seen."""
    pieces = np.array_split(np.arange(len(at)), min(POINTS, len(at)))
    places = np.array(at)
    return [(float(places[p].mean()), float(np.median(rates[p]))) for p in pieces]


def _power(value: float) -> str:
    """0.003 as "3e-3"."""
    exponent = math.floor(math.log10(value) + 1e-9)
    return f"{value / 10.0**exponent:.0f}e{exponent}".replace("-", "−")
