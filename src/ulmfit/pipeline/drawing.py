"""Which rows of the data are used with their labels, and as what."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulmfit.data.labels import Label
from ulmfit.data.rows import Row
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline.options import Source
from ulmfit.pipeline.separators import free_separator, separated
from ulmfit.pipeline.unchanged import Marks, mark, picked
from ulmfit.targets.checks import FEWEST, check_labels
from ulmfit.targets.drawing import balanced
from ulmfit.targets.encoding import encode, number
from ulmfit.targets.kinds import Floats, Kind, Labels, Rows, appearances

FILE = "draw.sha256"
ALL_TOLD = 20  # with more labels, only some are told
ENDS = (slice(10), slice(-5, None))  # of the labels, the most frequent first
OnBad = Callable[[str], None] | None


@dataclass(frozen=True)
class Draw:
    """The rows that are used with their labels."""

    rows: NDArray[np.int64]
    """numbers of the rows, rising"""
    labels: Labels
    """of the rows, as `targets.kinds`"""
    names: list[str]
    kind: Kind = "single"
    weights: Floats | None = None
    """of the rows; None: all alike"""
    separator: str = ""
    """multi: what stands between labels in one column of text"""
    weightless: int = 0
    """rows with a label that are not used, their weight being 0"""
    marks: Marks | None = None
    """of the texts; None where they are in memory"""

    def told(self) -> str:
        """How many rows there are of each label, for a person."""
        total = f"{len(self.rows):,} labelled rows"
        if self.weightless:
            total += f" (without the {self.weightless:,} of weight 0)"
        if self.kind == "real":
            low, middle, high = np.quantile(self.labels, (0, 0.5, 1))
            return f"{total}: values from {low:g} to {high:g}, half of them up to {middle:g}"
        counts = appearances(self.labels, self.kind, len(self.names))
        each = [f"{name} {n:,}" for name, n in zip(self.names, counts, strict=True)]
        if len(each) > ALL_TOLD:
            order = np.argsort(-np.asarray(counts), kind="stable")
            often, rarely = (", ".join(each[i] for i in order[part]) for part in ENDS)
            total += f" of {len(each):,} labels"
            each = [f"most often {often}", f"most rarely {rarely}"]
        if self.kind == "multi":
            each.append(f"(none) {int((~self.labels.any(1)).sum()):,}")
        return f"{total}: {', '.join(each)}"

    def at(self, places: Rows) -> Draw:
        """The rows at some places of this draw."""
        weights = None if self.weights is None else self.weights[places]
        marks = None if self.marks is None else self.marks[places]
        rows, labels = self.rows[places], self.labels[places]
        return replace(self, rows=rows, labels=labels, weights=weights, marks=marks)

    def texts(self, source: Source) -> Iterator[str]:
        """The texts of the rows, as `read`."""
        return (row.text for row in self.read(source))

    def read(self, source: Source) -> Iterator[Row]:
        """The rows, streamed from the source they were drawn from.

        Raises:
            InputError: while iterating, a row has another text than when it was drawn, or is gone.
        """
        assert self.marks is not None

        def where(row: Row | None) -> str:
            return ", ".join(source.paths) if row is None else place(row)

        return picked(source.rows(), self.rows, self.marks, lambda row: row.text, where)

    def keep(self, folder: Path) -> None:
        """Remember this draw in the run's folder, or compare it with the one that is there.

        Raises:
            InputError: a resumed run finds other labels than those it began with.
        """
        digest = hashlib.sha256(self.rows.tobytes() + self.labels.tobytes())
        digest.update("\0".join(self.names).encode("utf8", "surrogatepass"))
        if self.kind != "single":
            digest.update(self.kind.encode())
        if self.weights is not None:
            digest.update(self.weights.tobytes())
        path, mine = folder / FILE, digest.hexdigest().encode()
        if not path.exists():
            write_atomically(path, mine)
        elif path.read_bytes() != mine:
            raise InputError(
                f"{folder}: the labelled data is not what it was when this run began; put it "
                "back, or start anew with --overwrite"
            )


@dataclass
class _Told:
    """What the labelled rows say."""

    rows: list[int] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    marks: array[int] = field(default_factory=lambda: array("Q"))
    weightless: int = 0


def draw_labels(
    source: Source,
    wanted: int | None,
    seed: int,
    on_bad: OnBad = None,
    *,
    kind: Kind | None = None,
    order: Sequence[str] = (),
) -> Draw:
    """Read the labels and choose `wanted` labelled rows, evenly (`targets.drawing`).

    The label of a row of weight 0 is as if it were not there.

    Args:
        source: the data.
        wanted: how many; None takes all.
        seed: of the choice.
        on_bad: called with a message for each row left out.
        kind: None takes "multi" where the rows hold lists of labels, else "single".
        order: of an ordinal target, the labels from lowest to highest.

    Raises:
        InputError: a label does not suit the kind, fewer labelled rows than wanted, one label
            only, a label with one row, or no labelled row whose weight is above 0.
    """
    told, kind = _read(source, on_bad, kind)
    where = ", ".join(source.paths)
    if not told.rows and told.weightless:
        raise InputError(
            f"{where}: every labelled row has the weight 0 in column {source.sample_weight!r}; "
            "some must count"
        )
    if not told.rows:
        raise InputError(f"{where}: no row has a label")
    separator = source.separator or ""
    if kind == "multi":
        if not separator and all(isinstance(label, str) for label in told.labels):
            separator, told.labels = separated(told.labels)
        separator = separator or free_separator(told.labels)
    columns = source.label if kind == "multi" and isinstance(source.label, tuple) else ()
    try:
        coded = encode(told.labels, kind, order, columns)
        check_labels(coded.labels, coded.names, kind)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    kept = np.arange(len(told.rows))
    if wanted is not None:
        kept = _chosen(coded.labels, coded.names, kind, wanted, seed)
    return Draw(
        np.array(told.rows, np.int64)[kept],
        coded.labels[kept],
        coded.names,
        kind,
        None if source.sample_weight is None else np.array(told.weights)[kept],
        separator if kind == "multi" else "",
        told.weightless,
        np.array(told.marks, np.uint64)[kept],
    )


def _read(source: Source, on_bad: OnBad, kind: Kind | None) -> tuple[_Told, Kind]:
    """The labelled rows, and the kind, which the form of the labels shows if it is not given."""
    told = _Told()
    first: dict[bool, Row] = {}
    for i, row in enumerate(source.rows(on_bad)):
        if row.label is None:
            continue
        if not row.weight:
            told.weightless += 1
            continue
        first.setdefault(isinstance(row.label, tuple), row)
        _check_form(row, kind)
        told.rows.append(i)
        told.labels.append(row.label)
        told.weights.append(row.weight)
        told.marks.append(mark(row.text))
    if kind is None and len(first) == 2:
        raise InputError(
            f"{place(first[True])} holds a list of labels, and {place(first[False])} one label: "
            "with --task multi both are taken, one label being a list of one"
        )
    return told, kind or ("multi" if True in first else "single")


def _check_form(row: Row, kind: Kind | None) -> None:
    """Raise InputError for a label that cannot be of this kind, with its place."""
    if kind in ("single", "ordinal") and isinstance(row.label, tuple):
        raise InputError(
            f"{place(row)} holds a list of labels where one belongs; a text may have several "
            "with --task multi"
        )
    if kind == "real":
        try:
            number(row.label or "")
        except InputError as error:
            raise InputError(f"{place(row)}: {error}; --task real needs one each row") from None


def place(row: Row) -> str:
    """Where a row stands, for a person."""
    return f"{row.file}:{row.line}"


def _chosen(
    labels: Labels, names: list[str], kind: Kind, wanted: int, seed: int
) -> NDArray[np.int64]:
    """Places of `wanted` rows that can be learned from."""
    least = FEWEST if kind in ("multi", "real") else 2 * len(names)
    if not least <= wanted <= len(labels):
        of = f" of {len(names)} labels" if names else ""
        raise InputError(
            f"--labels {wanted}: the data has {len(labels)} labelled rows{of}, so choose a "
            f"number from {least} to {len(labels)}"
        )
    kept = balanced(labels, len(names), kind, wanted, seed)
    try:
        check_labels(labels[kept], names, kind)
    except InputError as error:
        raise InputError(f"--labels {wanted} are too few of this data: {error}") from None
    return kept
