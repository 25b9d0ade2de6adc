"""A trained language model inside a larger one that says the same (Net2Net, Chen et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ulmfit.model.heads import LanguageModel

WORDS = ("encoder.embedding", "decoder_bias")
"""weights that say what a word is, whichever way a text is read"""


@torch.no_grad()
def grow_into(model: LanguageModel, weights: Mapping[str, Tensor]) -> None:
    """Give `model` the weights of one that is as large or smaller, and the same outputs.

    The old units hear nothing of the new ones, and the decoder nothing of a word's new numbers,
    which begin at 0; so outputs are the same to rounding. The new units keep the weights that
    were drawn for them and hear all: their gradients are not zero, and they begin to be heard with
    the first steps.

    Args:
        model: as drawn; as many words and layers.
        weights: of a `LanguageModel`, each size at most the model's.

    Raises:
        ValueError: the shapes do not nest.
    """
    if model.state_dict().keys() != weights.keys():
        raise ValueError("a model of another number of layers does not fit")
    _take(model, weights)


@torch.no_grad()
def take_words(model: LanguageModel, weights: Mapping[str, Tensor]) -> None:
    """Give `model` the words' vectors and biases of one that reads the other way.

    Args:
        model: as drawn; as many words.
        weights: of a `LanguageModel` whose embedding is at most as large.

    Raises:
        ValueError: the shapes do not nest.
    """
    _take(model, {name: weights[name] for name in WORDS})


def _take(model: LanguageModel, weights: Mapping[str, Tensor]) -> None:
    own = model.state_dict()
    for name, small in weights.items():
        large = own[name]
        if name == "decoder_bias":
            _fits(large.shape == small.shape, name)
            large.copy_(small)
        elif name == "encoder.embedding":
            _fits(len(large) == len(small) and large.shape[1] >= small.shape[1], name)
            large.zero_()[:, : small.shape[1]] = small
        else:
            _nest(large, small, name)


def _nest(large: Tensor, small: Tensor, name: str) -> None:
    """A layer's weights (4 units, inputs) or bias (4 units,): gate by gate, the old units first."""
    large, small = (t.view(4, t.shape[0] // 4, -1) for t in (large, small))
    units, inputs = small.shape[1:]
    _fits(units <= large.shape[1] and inputs <= large.shape[2], name)
    large[:, :units] = 0
    large[:, :units, :inputs] = small


def _fits(it_does: bool, name: str) -> None:
    if not it_does:
        raise ValueError(f"{name} does not fit into the model's")
