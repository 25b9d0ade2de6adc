"""A bundle with its models built, as a fitted estimator holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit.bundle import Bundle
from ulmfit.device import Precision
from ulmfit.estimator import randomness
from ulmfit.estimator.texts import text_list
from ulmfit.predict import Predictor
from ulmfit.targets.decisions import confidence, decide
from ulmfit.targets.kinds import Floats, Labels


class Fitted:
    """Answers for texts of any kind of container; pickled as its bundle, the models built anew.

    Args:
        bundle: a classifier.
        device: where to compute.
        precision: as asked for training, and of predictions (`predict.Predictor`).
    """

    def __init__(self, bundle: Bundle, device: str, precision: Precision) -> None:
        self.bundle = bundle
        self._asked = device, precision
        with randomness.kept(device):
            self._predictor = Predictor(bundle, device, precision)

    def at(self, device: str, precision: Precision) -> Fitted:
        """Itself, or the same models where these are others than it was made for."""
        asked = device, precision
        return self if asked == self._asked else Fitted(self.bundle, *asked)

    def __reduce__(self) -> tuple[Callable[..., Fitted], tuple[Any, ...]]:
        return Fitted, (self.bundle, *self._asked)

    def probabilities(self, texts: Any) -> Floats:
        """(texts, classes), in the order of the bundle's labels."""
        rows = list(self._predictor.probabilities(text_list(texts)))
        return np.array(rows).reshape(-1, len(self.bundle.labels))

    def answers(self, texts: Any) -> Labels:
        """The answers in numbers (`targets.kinds`)."""
        target = self.bundle.target
        return decide(self.probabilities(texts), target.kind, target.thresholds)

    def confidence(self, texts: Any) -> Floats:
        """(texts,) how probable it is that each answer is right."""
        rows, target = self.probabilities(texts), self.bundle.target
        return confidence(rows, decide(rows, target.kind, target.thresholds), target.kind)

    def values(self, texts: Any) -> Floats:
        """(texts,) real values."""
        return np.array(list(self._predictor.values(text_list(texts))), np.float64)

    def vectors(self, texts: Any) -> NDArray[np.float32]:
        """(texts, features) the pooled document vectors."""
        rows = list(self._predictor.vectors(text_list(texts)))
        return np.array(rows, np.float32).reshape(-1, self.features)

    @property
    def features(self) -> int:
        """Last, max and mean of each direction's outputs (v2, sec. 3.3)."""
        return 3 * self.bundle.architecture.embedding * len(self.bundle.directions)

    def feature_names(self, estimator: object) -> NDArray[np.object_]:
        """(features,) the class's name with a number, as scikit-learn's decompositions have."""
        prefix = type(estimator).__name__.lower()
        return np.array([f"{prefix}{number}" for number in range(self.features)], object)
