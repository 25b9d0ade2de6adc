"""Transfer learning for text: pretrain a language model, fine-tune it, classify with few labels.

>>> import ulmfit
>>> bundle = ulmfit.load("model")
>>> bundle.labels
['neg', 'pos']
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ulmfit.bundle import Bundle as Bundle
    from ulmfit.bundle import load as load
    from ulmfit.cleaning import clean as clean
    from ulmfit.cleaning import clean_file as clean_file
    from ulmfit.errors import InputError as InputError
    from ulmfit.estimator import ULMFiTClassifier as ULMFiTClassifier
    from ulmfit.estimator import ULMFiTRegressor as ULMFiTRegressor
    from ulmfit.explanations import explain as explain
    from ulmfit.pipeline import finetune as finetune
    from ulmfit.pipeline import pretrain as pretrain
    from ulmfit.pipeline import resume as resume
    from ulmfit.pipeline import train as train
    from ulmfit.pipeline.options import FinetuneOptions as FinetuneOptions
    from ulmfit.pipeline.options import Machine as Machine
    from ulmfit.pipeline.options import PretrainOptions as PretrainOptions
    from ulmfit.pipeline.options import Source as Source
    from ulmfit.pipeline.options import TrainOptions as TrainOptions
    from ulmfit.pipeline.use import evaluate as evaluate
    from ulmfit.pipeline.use import generate as generate
    from ulmfit.pipeline.use import perplexity as perplexity
    from ulmfit.pipeline.use import predict_file as predict_file
    from ulmfit.predict import Predictor as Predictor
    from ulmfit.pretrained import models as models
    from ulmfit.pretrained import open_pretrained as open_pretrained
    from ulmfit.report import write_report as write_report
    from ulmfit.suggestions import suggest as suggest
    from ulmfit.suggestions import suggest_file as suggest_file

    __version__: str

_HOMES = {
    "Bundle": "ulmfit.bundle",
    "FinetuneOptions": "ulmfit.pipeline.options",
    "InputError": "ulmfit.errors",
    "Machine": "ulmfit.pipeline.options",
    "Predictor": "ulmfit.predict",
    "PretrainOptions": "ulmfit.pipeline.options",
    "Source": "ulmfit.pipeline.options",
    "TrainOptions": "ulmfit.pipeline.options",
    "ULMFiTClassifier": "ulmfit.estimator",
    "ULMFiTRegressor": "ulmfit.estimator",
    "clean": "ulmfit.cleaning",
    "clean_file": "ulmfit.cleaning",
    "evaluate": "ulmfit.pipeline.use",
    "explain": "ulmfit.explanations",
    "finetune": "ulmfit.pipeline",
    "generate": "ulmfit.pipeline.use",
    "load": "ulmfit.bundle",
    "models": "ulmfit.pretrained",
    "open_pretrained": "ulmfit.pretrained",
    "perplexity": "ulmfit.pipeline.use",
    "predict_file": "ulmfit.pipeline.use",
    "pretrain": "ulmfit.pipeline",
    "resume": "ulmfit.pipeline",
    "suggest": "ulmfit.suggestions",
    "suggest_file": "ulmfit.suggestions",
    "train": "ulmfit.pipeline",
    "write_report": "ulmfit.report",
}

__all__ = [
    "Bundle",
    "FinetuneOptions",
    "InputError",
    "Machine",
    "Predictor",
    "PretrainOptions",
    "Source",
    "TrainOptions",
    "ULMFiTClassifier",
    "ULMFiTRegressor",
    "__version__",
    "clean",
    "clean_file",
    "evaluate",
    "explain",
    "finetune",
    "generate",
    "load",
    "models",
    "open_pretrained",
    "perplexity",
    "predict_file",
    "pretrain",
    "resume",
    "suggest",
    "suggest_file",
    "train",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: `import ulmfit` alone loads nothing heavy."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ulmfit")
    if name not in _HOMES:
        raise AttributeError(f"module 'ulmfit' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
