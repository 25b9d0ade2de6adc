"""`ULMFiTClassifier`: the whole road with scikit-learn's manners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import InputTags, Tags
from sklearn.utils.validation import check_is_fitted

from ulmfit.bundle import Bundle
from ulmfit.device import Precision
from ulmfit.estimator import recording
from ulmfit.estimator.asked import train_options
from ulmfit.estimator.classes import Classes
from ulmfit.estimator.examples import counted, examples
from ulmfit.estimator.fitted import Fitted
from ulmfit.estimator.fitting import learned
from ulmfit.estimator.keeping import opened, save_at, with_estimator
from ulmfit.estimator.scoring import to_score
from ulmfit.estimator.targets import CLASSIFIED, read_classes
from ulmfit.estimator.weights import named_weights
from ulmfit.stages.objective import LossName
from ulmfit.targets.kinds import Kind


class ULMFiTClassifier(ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A text classifier: a language model fine-tuned on the texts, then on their labels.

    It does what `ulmfit train` does: the same texts, the same labels as strings and the same
    seed give the same model.

    Args:
        lm: a language model: the name of an embedded one, a folder, or "hf://user/name"; None:
            the default one.
        preset: "default", "v1", "v2" or "scripts" (`ulmfit.presets`).
        settings: values over the preset's, as {"classifier": {"peak": 0.02}, "language_model":
            {"dropouts": {"weight": 0.3}}}: every field of `ulmfit.presets.Preset`.
        direction: "forward", "backward" or "both"; None: all that the language model holds.
        finetune: fine-tune the language model on the texts before the classifier.
        lm_epochs: epochs of that; None: the preset's.
        epochs: of the classifier's last phase; None: the preset's.
        time_budget: minutes in all; epochs are cut to fit.
        task: "single", "multi" (several labels a text) or "ordinal"; None: what y shows, which
            is never "ordinal". For real values there is `ULMFiTRegressor`.
        order: of an ordinal target, its labels from lowest to highest, in a list, a range, an
            array or a series; None takes that of pandas' ordered categories, and else sorts
            numbers (words without an order are refused).
        class_weight: {class: weight}, 1 where not named, or "balanced"; None: all alike.
        loss: "cross-entropy", or "focal", which looks more at what is hard (Lin et al. 2017).
        focal_gamma: exponent of the focal loss.
        label_smoothing: share of the target that is spread over all classes, 0 to 1.
        calibrate: choose a temperature on the held-out texts that makes probabilities honest.
        abstain_below: the border below which an answer is not sure enough, from 0 to 1.
        coverage: draw that border so that this share of the held-out texts is above it.
        device: "auto", "cpu", "cuda", ...
        precision: "auto", "fp32" or "bf16" to train in, and to predict in; a model that was loaded
            may answer in "int8" too. "auto" trains in the faster of the first two here, and
            predicts in int8 where a CPU is fast at it and the held-out texts were answered alike
            in it, else in fp32: either way a text's answer does not depend on the others.
        n_jobs: processes that turn texts into ids; None is one, -1 one a core. More than one
            needs a script that can be imported (`if __name__ == "__main__":`).
        memory: a folder, or a `joblib.Memory` for its folder, in which fine-tuned language
            models are kept: a fit on the same texts with the same settings of the language
            model and the same seed takes it from there, as in a grid search over settings of
            the classifier. None, or a `Memory` without a folder, keeps nothing.
        random_state: a seed from 0 up; as in scikit-learn, None or a `RandomState` draws one.
        verbose: 0 is silent, 1 prints a line an epoch, 2 some steps too.

    Attributes:
        classes_: (classes,) the labels, sorted or in `order`, of the type that was given; of a
            0/1 matrix its columns' names, or numbers.
        bundle_: the model, a `ulmfit.Bundle`; its `metrics` hold the figures on the tenth of
            the texts that chose the best epoch.

    An estimator answers every text, with `abstain_below` or `coverage` too; saved, such a model
    leaves unsure answers open on the command line. `confidence` tells how sure each answer is,
    `bundle_.target.abstain_below` where the model's border lies (None: it has none).

    Howard and Ruder 2018, "Universal Language Model Fine-tuning for Text Classification".

    >>> from ulmfit import ULMFiTClassifier
    >>> texts, labels = ["A lovely film.", "A dull film."] * 10, ["good", "bad"] * 10
    >>> model = ULMFiTClassifier(epochs=1).fit(texts, labels)
    >>> model.classes_.tolist(), model.predict_proba(["What a film!"]).shape
    (['bad', 'good'], (1, 2))
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
        task: Kind | None = None,
        order: Sequence[Any] | NDArray[Any] | None = None,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        loss: LossName = "cross-entropy",
        focal_gamma: float = 2.0,
        label_smoothing: float = 0.0,
        calibrate: bool = True,
        abstain_below: float | None = None,
        coverage: float | None = None,
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
        self.task = task
        self.order = order
        self.class_weight = class_weight
        self.loss = loss
        self.focal_gamma = focal_gamma
        self.label_smoothing = label_smoothing
        self.calibrate = calibrate
        self.abstain_below = abstain_below
        self.coverage = coverage
        self.device = device
        self.precision = precision
        self.n_jobs = n_jobs
        self.memory = memory
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, texts: Any, y: Any, unlabelled: Any = None, sample_weight: Any = None) -> Self:
        """Fine-tune the language model, then the classifier.

        Args:
            texts: a list, an array, or a pandas, polars or Arrow series of strings.
            y: a label for each: strings, whole numbers or booleans, two rows of each at least.
                Multi-label: a 0/1 matrix (texts, classes), a data frame with a column a class,
                or the labels of each text, as [["a", "b"], [], ["b"]].
            unlabelled: more texts, for the language model alone. (Given to a search as a
                parameter of `fit`, a list just as long as `texts` would be cut into folds.)
            sample_weight: (texts,) how much each counts in the classifier's loss, from 0 up; a
                text of weight 0 is left out, from the language model too.

        Raises:
            InputError: a parameter, a text or a label is wrong; it says which.
            OSError: the disk is full, and the like.
        """
        counting = counted(texts, sample_weight)
        classes, numbers = read_classes(y, counting.given, self.task, self.order, counting.rows)
        given = examples(counting, numbers, classes.names, classes.kind, unlabelled)
        parameters = self.get_params(deep=False)
        weights = named_weights(self.class_weight, classes)
        options = train_options(parameters, classes.kind, weights)
        bundle, record = learned(given, options, self.memory, self.verbose)
        return self._learned(with_estimator(bundle, parameters, classes.to_dict()), record, classes)

    def _learned(self, bundle: Bundle, record: bytes | None, classes: Classes) -> Self:
        self.bundle_ = bundle
        self._record = record
        self.classes_ = classes.values
        self._classes = classes
        self._fitted = Fitted(bundle, self.device, self.precision)
        return self

    def _answering(self) -> Fitted:
        """The models, where `device` and `precision` now say."""
        check_is_fitted(self)
        self._fitted = self._fitted.at(self.device, self.precision)
        return self._fitted

    def predict_proba(self, texts: Any) -> NDArray[np.float64]:
        """(texts, classes) probabilities, the columns as `classes_`.

        Each row sums to 1, but of a multi-label target, where each class is asked for itself.
        """
        return self._answering().probabilities(texts)

    def predict(self, texts: Any) -> Any:
        """The labels, in the form and of the type that was given to `fit`.

        (texts,) the most probable label of each; of an ordinal target the median one. Multi-label:
        a 0/1 matrix (texts, classes), or lists of labels where `fit` had lists; a class is told
        where its probability reaches the threshold that was best on the held-out texts.

        Every text is answered, also where a model that was trained to abstain would leave the
        answer open: see `confidence`.
        """
        answers = self._answering().answers(texts)
        return self._classes.answers(answers)

    def confidence(self, texts: Any) -> NDArray[np.float64]:
        """(texts,) how probable it is that each answer of `predict` is right, as a whole.

        Single: the probability of the label. Ordinal: of the median label. Multi-label: of the
        whole set, the product over the classes. A model that was trained to abstain is not sure
        enough where this is below `bundle_.target.abstain_below`.
        """
        return self._answering().confidence(texts)

    def score(self, texts: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy; of a multi-label target the share of texts whose labels are all right.

        Raises:
            InputError: y or the weights are not one each for the texts.
        """
        check_is_fitted(self)
        texts, y, weights = to_score(texts, y, sample_weight, self._classes.form)
        answers = self.predict(texts)
        if self._classes.form == "lists":
            right = [set(a) == set(labels) for a, labels in zip(answers, y, strict=True)]
            return float(np.average(right, weights=weights))
        return float(accuracy_score(y, answers, sample_weight=weights))

    def transform(self, texts: Any) -> NDArray[np.float32]:
        """(texts, features) document vectors: last, max and mean of the encoder's outputs.

        Features are 3 times the embedding's size for each direction (v2, sec. 3.3).
        """
        return self._answering().vectors(texts)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The names of the columns of `transform`; `input_features` is not looked at."""
        return self._answering().feature_names(self)

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the fitted model: a bundle of JSON and safetensors, as `ulmfit train` makes.

        With it goes `training.jsonl`, the record of its steps, which `ulmfit report` draws.

        Args:
            folder: where; whole or not there, whatever happens.
            overwrite: replace a model that is there.

        Raises:
            InputError: `folder` exists.
            OSError: the disk is full, and the like.
        """
        check_is_fitted(self)
        save_at(self.bundle_, self._record, Path(folder), overwrite)

    @classmethod
    def load(cls, folder: str | PathLike[str], **parameters: Any) -> Self:
        """Open a saved model, fitted, with the parameters and the type of labels it had.

        Args:
            folder: what `save` wrote, or a classifier of `ulmfit train`, whose labels are
                strings; or "hf://user/name".
            **parameters: of this class. `device` and the like are not kept with a model, nor is
                the folder of `lm`, only its name: to fit anew, say where it is. What JSON does not
                have, such as a set, is not kept either.

        Raises:
            InputError: there is no whole classifier, or there is no such parameter.
        """
        bundle, chosen = opened(folder, CLASSIFIED, cls().get_params(), parameters)
        return cls(**chosen)._learned(bundle, recording.read(folder), Classes.of(bundle))

    save_pretrained = save
    from_pretrained = load

    def __sklearn_tags__(self) -> Tags:
        """Takes strings, one a sample; knows several labels a text."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags = InputTags(one_d_array=True, two_d_array=False, string=True)
        return tags
