"""The data itself: how its classes and lengths lie, and what stands in it twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ulmfit.report.charts.balance import Frequency, balance
from ulmfit.report.charts.histogram import Sizes, histogram
from ulmfit.report.duplicates import Pair, repeats, shared
from ulmfit.report.examination import Findings
from ulmfit.report.lengths import Lengths
from ulmfit.report.markup import Child, Markup, element, join, shortened, text, user
from ulmfit.report.numbers import figure, percent, plural, whole
from ulmfit.report.parts import Part
from ulmfit.report.sections.frame import drawing, drawings, folded, key_to, paragraph, section
from ulmfit.report.tables import table
from ulmfit.targets.kinds import Rows

CLASSES = 14  # that have room in the chart
SHOWN = 5  # repeated texts
LOG = 8.0  # longest text over the median one, from which on the axis is logarithmic
STYLES = ("train", "held-out")


def data(found: Findings) -> Markup | None:
    """Nothing where the training data is not there."""
    if found.train is None:
        return None
    other = _other(found)
    parts = [found.train, *([other] if other is not None else [])]
    left = _values(parts) if found.train.coding.kind == "real" else _balance(parts)
    return section(
        "data",
        "The data",
        drawings(left, _lengths(found.lengths)),
        _repeated(found, other),
    )


def _other(found: Findings) -> Part | None:
    """The set that the model was measured on."""
    return found.measured.part if found.measured is not None else None


def _key(shape: str, names: Sequence[str]) -> Markup:
    named = zip(STYLES, (shortened(name, 40) for name in names), strict=False)
    return key_to(shape, *named)


def _balance(parts: Sequence[Part]) -> Markup:
    names = parts[0].coding.names
    counts = [_counts(part, len(names)) for part in parts]
    order = np.argsort(-counts[0], kind="stable")
    shown = order[:CLASSES] if len(order) > CLASSES + 1 else order
    rows = [
        Frequency(names[i], [float(c[i]) / len(p) for c, p in zip(counts, parts, strict=True)])
        for i in shown
    ]
    told = "; ".join(f"{shortened(r.name, 30)} {percent(r.shares[0])}" for r in rows)
    chart = balance("balance", "How frequent each label is", told, rows, STYLES[: len(parts)])
    rest = len(names) - len(shown)
    more = f" The {whole(rest)} rarer labels are left out." if rest else ""
    caption = f"{_rarest(names, counts[0])}{more}"
    key = _key("dot", [part.name for part in parts])
    return drawing(chart, "How frequent each label is", caption, key)


def _counts(part: Part, classes: int) -> Rows:
    counts = np.zeros(classes, np.int64)
    for target in part.targets:
        for number in target if isinstance(target, tuple) else (int(target),):
            counts[number] += 1
    return counts


def _rarest(names: Sequence[str], counts: Rows) -> str:
    least, most = int(counts.argmin()), int(counts.argmax())
    return (
        f"From {plural(int(counts[least]), 'row')} ({shortened(names[least], 30)}) to "
        f"{whole(int(counts[most]))} ({shortened(names[most], 30)}) in training."
    )


def _values(parts: Sequence[Part]) -> Markup:
    sets = [
        Sizes(np.array([float(t) for t in part.targets if not isinstance(t, tuple)]), style)
        for part, style in zip(parts, STYLES, strict=False)
    ]
    every = sets[0].values
    told = f"Training: {figure(float(every.min()))} to {figure(float(every.max()))}."
    chart = histogram("values", "The values", told, sets, "value")
    return drawing(chart, "The values", told, _key("stroke", [part.name for part in parts]))


def _lengths(found: Sequence[Lengths]) -> Markup | None:
    if not found:
        return None
    kept = found[:2]
    sizes = [
        Sizes(part.tokens.astype(np.float64), s) for part, s in zip(kept, STYLES, strict=False)
    ]
    every = np.concatenate([part.tokens for part in kept])
    log = float(every.max()) > LOG * float(np.median(every))
    told = ". ".join(_length(part) for part in kept) + "."
    chart = histogram(
        "lengths", "Tokens a text", told, sizes, "tokens a text", log=log, counts=True
    )
    key = _key("stroke", [part.name for part in kept])
    return drawing(chart, "How long the texts are", told, key)


def _length(part: Lengths) -> str:
    median, most = (whole(round(float(np.quantile(part.tokens, q)))) for q in (0.5, 0.95))
    return (
        f"{shortened(part.name, 40).capitalize()}: median {median} tokens, 95% up to {most}, "
        f"longest {whole(int(part.tokens.max()))}; {percent(part.unknown)} of tokens not in the "
        "vocabulary"
    )


def _repeated(found: Findings, other: Part | None) -> Markup:
    assert found.train is not None
    lines: list[Markup | None] = [_within(found.train)]
    if found.valid is not None and (other is None or other.name != "validation"):
        lines.append(_between(found.valid, found.train, "the rows that chose the epoch"))
    if other is not None:
        name = shortened(other.name, 40)
        pairs = shared(other, found.train)
        if found.valid is not None and other.name != "validation":
            known = {pair.row for pair in pairs}
            pairs += [pair for pair in shared(other, found.valid) if pair.row not in known]
        lines += [_told(pairs, len(other), f"the {name} rows"), _without(found, pairs)]
        lines.append(_examples(other, pairs))
    return join(
        element("h3", "What stands there twice"),
        element("ul", *(element("li", line) for line in lines[:-1] if line is not None)),
        lines[-1] if other is not None else None,
        paragraph("Texts count as equal whatever their case, spaces and signs.", class_="remark"),
    )


def _within(train: Part) -> Markup:
    found = repeats(train)
    if not found.rows:
        return text("No training row repeats another.")
    repeat = "repeats" if found.rows == 1 else "repeat"
    told = f"Of {whole(len(train))} training rows {whole(found.rows)} {repeat} another"
    against = len(found.contradicted)
    if not against:
        return text(f"{told}, none with a different label.")
    stand = "stands" if against == 1 else "stand"
    return text(f"{told}; {plural(against, 'text')} {stand} there with different labels.")


def _between(part: Part, train: Part, name: str) -> Markup:
    return _told(shared(part, train), len(part), name)


def _told(pairs: Sequence[Pair], n: int, name: str) -> Markup:
    if not pairs:
        return text(f"None of {name} stands in the training data.")
    other = sum(not pair.same_label for pair in pairs)
    labels = f", {whole(other)} of them with another label" if other else ""
    told = f"{whole(len(pairs))} of {name} ({percent(len(pairs) / n)})"
    stand = "stands" if len(pairs) == 1 else "stand"
    return text(f"{told} {stand} in the training data too{labels}.")


def _without(found: Findings, pairs: Sequence[Pair]) -> Markup | None:
    """What the figures are without the rows that the model has seen."""
    measured = found.measured
    if measured is None or not pairs or measured.kind == "real":
        return None
    seen = np.isin(measured.part.rows, [pair.row for pair in pairs])
    if seen.all() or not seen.any():
        return None
    return text(
        f"Without them {percent(float(measured.right[~seen].mean()))} are right, instead of "
        f"{percent(float(measured.right.mean()))}."
    )


def _examples(part: Part, pairs: Sequence[Pair]) -> Markup | None:
    """Those with another label first."""
    held = {int(row): i for i, row in enumerate(part.rows)}
    known = sorted((p for p in pairs if p.row in held), key=lambda p: p.same_label)[:SHOWN]
    if not known:
        return None
    rows: list[list[Child]] = [
        [
            element("span", shortened(part.texts[held[p.row]], 160), class_="excerpt", dir="auto"),
            user(part.told(part.targets[p.row]), 40),
            "the same" if p.same_label else "another",
        ]
        for p in known
    ]
    header = ("Text", "Label", "In training")
    return folded("Examples", table("Texts of both sets", header, rows, "lll"))
