"""`ULMFiTRegressor`: real values instead of labels, and otherwise the same."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.metrics import r2_score
from sklearn.utils import InputTags, Tags
from sklearn.utils.validation import check_is_fitted

from ulmfit.bundle import Bundle
from ulmfit.device import Precision
from ulmfit.estimator import recording
from ulmfit.estimator.asked import train_options
from ulmfit.estimator.examples import counted, examples
from ulmfit.estimator.fitted import Fitted
from ulmfit.estimator.fitting import learned
from ulmfit.estimator.keeping import opened, save_at, with_estimator
from ulmfit.estimator.scoring import to_score
from ulmfit.estimator.targets import REAL, read_values


class ULMFiTRegressor(RegressorMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Tells a real value from a text, learned with the squared error.

    It does what `ulmfit train --task real` does. `score` is R squared.

    Its parameters are those of `ULMFiTClassifier` that do not speak of classes.

    Attributes:
        bundle_: the model, a `ulmfit.Bundle`; its `metrics` hold the figures on the tenth of
            the texts that chose the best epoch.

    >>> from ulmfit import ULMFiTRegressor
    >>> reviews, stars = ["A lovely film.", "A dull film."] * 10, [4.5, 1.0] * 10
    >>> model = ULMFiTRegressor(epochs=1).fit(reviews, stars)
    >>> model.predict(["What a film!", "It is dull."]).shape
    (2,)
    """

    def __init__(
        self,
        lm: str | PathLike[str] | None = None,
        *,
        preset: str = "default",
        settings: Mapping[str, Any] | None = None,
        direction: str | None = None,
        finetune: bool = True,
        lm_epochs: int | None = None,
        epochs: int | None = None,
        time_budget: float | None = None,
        device: str = "auto",
        precision: Precision = "auto",
        n_jobs: int | None = None,
        memory: Any = None,
        random_state: int | np.random.RandomState | None = 0,
        verbose: int = 0,
    ) -> None:
        self.lm = lm
        self.preset = preset
        self.settings = settings
        self.direction = direction
        self.finetune = finetune
        self.lm_epochs = lm_epochs
        self.epochs = epochs
        self.time_budget = time_budget
        self.device = device
        self.precision = precision
        self.n_jobs = n_jobs
        self.memory = memory
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, texts: Any, y: Any, unlabelled: Any = None, sample_weight: Any = None) -> Self:
        """Fine-tune the language model, then the regressor.

        Args:
            texts: a list, an array, or a pandas, polars or Arrow series of strings.
            y: (texts,) finite numbers.
            unlabelled: more texts, for the language model alone.
            sample_weight: as of `ULMFiTClassifier.fit`.

        Raises:
            InputError: a parameter, a text or a value is wrong; it says which.
            OSError: the disk is full, and the like.
        """
        counting = counted(texts, sample_weight)
        values = read_values(y, counting.given, counting.rows)
        given = examples(counting, values, [], REAL, unlabelled)
        parameters = self.get_params(deep=False)
        options = train_options(parameters, REAL)
        bundle, record = learned(given, options, self.memory, self.verbose)
        return self._learned(with_estimator(bundle, parameters, None), record)

    def _learned(self, bundle: Bundle, record: bytes | None) -> Self:
        self.bundle_ = bundle
        self._record = record
        self._fitted = Fitted(bundle, self.device, self.precision)
        return self

    def _answering(self) -> Fitted:
        """The models, where `device` and `precision` now say."""
        check_is_fitted(self)
        self._fitted = self._fitted.at(self.device, self.precision)
        return self._fitted

    def predict(self, texts: Any) -> NDArray[np.float64]:
        """(texts,) the value of each."""
        return self._answering().values(texts)

    def score(self, texts: Any, y: Any, sample_weight: Any = None) -> float:
        """R squared.

        Raises:
            InputError: y or the weights are not one each for the texts.
        """
        check_is_fitted(self)
        texts, y, weights = to_score(texts, y, sample_weight)
        return float(r2_score(y, self.predict(texts), sample_weight=weights))

    def transform(self, texts: Any) -> NDArray[np.float32]:
        """(texts, features) document vectors, as `ULMFiTClassifier.transform`."""
        return self._answering().vectors(texts)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The names of the columns of `transform`; `input_features` is not looked at."""
        return self._answering().feature_names(self)

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the fitted model, as `ULMFiTClassifier.save`.

        Raises:
            InputError: `folder` exists.
            OSError: the disk is full, and the like.
        """
        check_is_fitted(self)
        save_at(self.bundle_, self._record, Path(folder), overwrite)

    @classmethod
    def load(cls, folder: str | PathLike[str], **parameters: Any) -> Self:
        """Open a saved model, fitted, as `ULMFiTClassifier.load`.

        Raises:
            InputError: there is no whole model of real values, or there is no such parameter.
        """
        bundle, chosen = opened(folder, [REAL], cls().get_params(), parameters)
        return cls(**chosen)._learned(bundle, recording.read(folder))

    save_pretrained = save
    from_pretrained = load

    def __sklearn_tags__(self) -> Tags:
        """Takes strings, one a sample."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags = InputTags(one_d_array=True, two_d_array=False, string=True)
        return tags
