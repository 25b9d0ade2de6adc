"""Transfer learning for text: pretrain a language model, fine-tune it, classify with few labels.

>>> import ulmfit
>>> bundle = ulmfit.load("model")  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ulmfit.bundle import Bundle as Bundle
    from ulmfit.bundle import load as load
    from ulmfit.errors import InputError as InputError
    from ulmfit.pipeline import finetune as finetune
    from ulmfit.pipeline import pretrain as pretrain
    from ulmfit.pipeline import resume as resume
    from ulmfit.pipeline import train as train
    from ulmfit.pipeline.use import evaluate as evaluate
    from ulmfit.predict import Predictor as Predictor

    __version__: str

_HOMES = {
    "Bundle": "ulmfit.bundle",
    "InputError": "ulmfit.errors",
    "Predictor": "ulmfit.predict",
    "evaluate": "ulmfit.pipeline.use",
    "finetune": "ulmfit.pipeline",
    "load": "ulmfit.bundle",
    "pretrain": "ulmfit.pipeline",
    "resume": "ulmfit.pipeline",
    "train": "ulmfit.pipeline",
}

__all__ = [
    "Bundle",
    "InputError",
    "Predictor",
    "__version__",
    "evaluate",
    "finetune",
    "load",
    "pretrain",
    "resume",
    "train",
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
