"""`datasets.Dataset` objects: in as a source of rows, out with a model's answers beside them."""

from __future__ import annotations

import operator
import tempfile
from pathlib import Path
from typing import Any

from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.extras import extra
from ulmfit.pipeline.options import Machine, Source
from ulmfit.pipeline.use import predict_file

BLOCK = 1000  # rows compared at a time


def saved(
    dataset: Any,
    folder: str | Path,
    *,
    split: str | None = None,
    text: tuple[str, ...] = (),
    label: str | None = None,
) -> Source:
    """A data set as a source of rows for every function here, kept in `folder` for a resumed run.

    Args:
        dataset: a `Dataset`, or a `DatasetDict` and the name of a split of it.
        folder: where to save it; what is there is used if it is the same data set.
        split: of a `DatasetDict`.
        text: the columns with the text; () finds one.
        label: the column with the label; None finds one. A `ClassLabel` counts by its names.

    Raises:
        InputError: no data set, no such split or column, or another data set in `folder`.

    Example:
        >>> from datasets import Dataset, DatasetDict
        >>> from ulmfit.hub import saved
        >>> rows = Dataset.from_dict({"text": ["Lovely.", "Dull."], "label": ["pos", "neg"]})
        >>> data = saved(DatasetDict(train=rows), "films", split="train")
        >>> [(row.text, row.label) for row in data.rows()]
        [('Lovely.', 'pos'), ('Dull.', 'neg')]
    """
    rows, folder = _one(dataset, split), Path(folder)
    if not folder.exists():
        rows.save_to_disk(str(folder))
    elif not _is_same(rows, folder):
        raise InputError(f"{folder}: exists and holds something else; choose another folder")
    source = Source((str(folder),), text, label)
    source.check()
    return source


def _datasets() -> Any:
    return extra("datasets", "hub", "a `datasets` object (a folder of save_to_disk does not)")


def _one(dataset: Any, split: str | None) -> Any:
    datasets = _datasets()
    if isinstance(dataset, datasets.DatasetDict):
        if split not in dataset:
            told = "split" if split is None else f"split {split!r}"
            raise InputError(f"which {told}? The data set has {', '.join(map(repr, dataset))}")
        return dataset[split]
    if split is not None:
        raise InputError(f"split {split!r}: this data set is one split already")
    if not isinstance(dataset, datasets.Dataset):
        kind = type(dataset).__name__
        hint = "; list its rows first: Dataset.from_list(list(...))" if "Iterable" in kind else ""
        raise InputError(f"a datasets.Dataset or DatasetDict is wanted, not a {kind}{hint}")
    return dataset


def _is_same(rows: Any, folder: Path) -> bool:
    """Whether `folder` holds these rows: a fingerprint of `datasets` changes from load to load."""
    datasets = _datasets()
    try:
        there = datasets.load_from_disk(str(folder))
    except (OSError, ValueError):
        return False
    if not isinstance(there, datasets.Dataset) or there.features != rows.features:
        return False
    blocks = (d.with_format("arrow").iter(BLOCK) for d in (there, rows))
    return len(there) == len(rows) and all(map(operator.eq, *blocks))


def predict_dataset(
    bundle: Bundle,
    dataset: Any,
    *,
    split: str | None = None,
    text: tuple[str, ...] = (),
    machine: Machine | None = None,
) -> Any:
    """A `Dataset` with the columns of `dataset`, the model's answer and its probabilities.

    Args:
        bundle: a classifier.
        dataset: as `saved`.
        split: of a `DatasetDict`.
        text: the columns with the text; () finds one.
        machine: where to compute; None: a GPU if there is one, else the CPU, in fp32.

    Returns:
        The rows in their order, in memory, with the columns that `ulmfit predict` adds.

    Raises:
        InputError: as `saved`, or the bundle is no classifier.
    """
    datasets = _datasets()
    rows = _one(dataset, split)
    with tempfile.TemporaryDirectory(prefix="ulmfit-") as folder:
        source = saved(rows, Path(folder) / "rows", text=text)
        answers = Path(folder) / "answers.parquet"
        predict_file(bundle, source, answers, machine or Machine())
        made = datasets.Dataset.from_parquet(
            str(answers), keep_in_memory=True, cache_dir=str(Path(folder) / "cache")
        )
    for name in rows.column_names:  # names of classes become numbers with names again
        if isinstance(rows.features[name], datasets.ClassLabel):
            made = made.cast_column(name, rows.features[name])
    return made
