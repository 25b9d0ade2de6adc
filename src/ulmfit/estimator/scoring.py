"""The arguments of `score`, checked before any text is answered."""

from __future__ import annotations

from typing import Any

from ulmfit.errors import InputError
from ulmfit.estimator.classes import Form
from ulmfit.estimator.targets import label_lists, of_arrow
from ulmfit.estimator.texts import text_list
from ulmfit.estimator.weights import read_weights
from ulmfit.targets.kinds import Floats


def to_score(
    texts: Any, y: Any, sample_weight: Any, form: Form = "array"
) -> tuple[Any, Any, Floats | None]:
    """The texts, y and weights of `score`, one each.

    Args:
        texts: as of `predict`.
        y: the truth; of the form "lists" the labels of each text.
        sample_weight: (texts,) from 0 up; None: all alike.
        form: of the y that the model was fitted on.

    Raises:
        InputError: y or the weights are more or fewer than the texts, or are nothing of the kind.
    """
    if isinstance(texts, str | bytes) or not hasattr(texts, "__len__"):
        texts = text_list(texts)
    y = of_arrow(y)
    count, rows = _rows(texts, "texts"), _rows(y, "y")
    if count != rows:
        raise InputError(f"{count} texts, but y has {rows} rows: each text needs one")
    if form == "lists" and (y := label_lists(y)) is None:
        raise InputError("y: a list of labels for each text is wanted, as `fit` was given")
    return texts, y, None if sample_weight is None else read_weights(sample_weight, count)


def _rows(value: Any, what: str) -> int:
    try:
        return int(value.shape[0]) if hasattr(value, "shape") else len(value)
    except (TypeError, IndexError):
        kind = type(value).__name__
        raise InputError(f"{what}: a list, an array or a series is wanted, not {kind}") from None
