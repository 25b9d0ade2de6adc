"""Floor 4: the scikit-learn face. Arrays in, a fitted estimator out; the road is the pipeline's."""

from ulmfit.estimator.classifier import ULMFiTClassifier
from ulmfit.estimator.regressor import ULMFiTRegressor

__all__ = ["ULMFiTClassifier", "ULMFiTRegressor"]
