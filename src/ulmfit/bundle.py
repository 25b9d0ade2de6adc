"""One folder = one model: config.json, safetensors, tokenizer.json, metrics.json, README.md.

`load` checks every file's size and sha256 and every tensor's name and shape before it builds
anything, and names what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ulmfit.compact import BITS, Storage, pack, unpack
from ulmfit.errors import InputError
from ulmfit.files import replacing, write_atomically
from ulmfit.manifest import (
    FORMAT,
    SINGLE,
    WEIGHTS,
    Config,
    Direction,
    HeadConfig,
    TargetConfig,
    check_file,
    fingerprint,
    read_config,
)
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel, PooledClassifier, TextClassifier
from ulmfit.remote import local_folder
from ulmfit.targets.kinds import outputs
from ulmfit.text.encoder import Encoder

__all__ = ["Bundle", "Direction", "HeadConfig", "TargetConfig", "empty_classifier", "load", "save"]


@dataclass
class Bundle:
    """A model in memory: what a bundle's folder holds."""

    kind: Literal["language-model", "classifier"]
    architecture: Architecture
    encoder: Encoder
    weights: dict[Direction, dict[str, Tensor]]
    """state dicts in fp32, of `LanguageModel` or `TextClassifier`"""
    preset: str = "default"
    labels: list[str] = field(default_factory=list)
    head: HeadConfig | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    target: TargetConfig = SINGLE
    """what a classifier's outputs mean; of a language model, nothing"""
    origin: str = field(default="this bundle", compare=False)
    """what to call it in an error: the folder that it was read from"""

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Forward first."""
        return tuple(d for d in WEIGHTS if d in self.weights)

    def language_model(self, direction: Direction, dropouts: Dropouts) -> LanguageModel:
        """The language model of one direction, on the CPU, in training mode.

        Raises:
            InputError: this is a classifier, or it has no model of that direction.
        """
        self.require("language-model", direction)
        model = LanguageModel(AWDLSTM(self.architecture, dropouts))
        model.load_state_dict(self.weights[direction])
        return model

    def classifier(self, direction: Direction) -> TextClassifier:
        """The classifier of one direction, on the CPU, in evaluation mode.

        Raises:
            InputError: this is a language model, or it has no model of that direction.
        """
        self.require("classifier", direction)
        assert self.head is not None
        count = outputs(self.target.kind, len(self.labels))
        model = empty_classifier(self.architecture, self.head, count)
        model.load_state_dict(self.weights[direction])
        return model.eval()

    def require(self, kind: str, direction: Direction | None = None) -> None:
        """Raise InputError unless this is a `kind` and holds `direction`."""
        if self.kind != kind:
            raise InputError(f"{self.origin} is a {self.kind}; a {kind} is needed here")
        if direction and direction not in self.weights:
            held = " and ".join(self.directions)
            raise InputError(f"{self.origin} holds no {direction} model, only {held}")


def empty_classifier(architecture: Architecture, head: HeadConfig, outputs: int) -> TextClassifier:
    """A classifier of these sizes without dropout, its weights not yet learned."""
    encoder = AWDLSTM(architecture, Dropouts(0, 0, 0, 0, 0))
    top = PooledClassifier(architecture.embedding, outputs, head.hidden)
    return TextClassifier(encoder, top, chunk=head.chunk, pooled_tokens=head.pooled_tokens)


def save(bundle: Bundle, folder: Path, card: str, storage: Storage = "fp32") -> None:
    """Write a bundle aside and rename it into place: `folder` is whole or not there.

    An existing bundle at `folder` is replaced; its caller has asked whether that is wanted.

    Raises:
        InputError: a weight is no finite number.
        OSError: the disk is full, or `folder` cannot be written; nothing is left behind.
    """
    for direction, tensors in bundle.weights.items():
        _check_finite(f"the {direction} model", tensors)
    with replacing(folder) as aside:
        _write(bundle, aside, card, storage)


def _write(bundle: Bundle, folder: Path, card: str, storage: Storage) -> None:
    for direction, tensors in bundle.weights.items():
        packed = {k: t.contiguous() for k, t in pack(tensors, storage).items()}
        write_atomically(folder / WEIGHTS[direction], safetensors.torch.save(packed))
    bundle.encoder.save(folder / "tokenizer.json")
    write_atomically(folder / "metrics.json", _json(bundle.metrics))
    write_atomically(folder / "README.md", card.encode())
    files = {p.name: fingerprint(p).model_dump() for p in _members(folder)}
    config = {
        "format_version": FORMAT if storage in BITS else 1,  # an older ulmfit reads the others
        "kind": bundle.kind,
        "architecture": bundle.architecture.to_dict(),
        "directions": list(bundle.directions),
        "preset": bundle.preset,
        "id2label": dict(enumerate(bundle.labels)),
        "head": bundle.head.model_dump() if bundle.head else None,
        "provenance": bundle.provenance,
        "files": files,
    }
    if bundle.target != SINGLE:  # then an older ulmfit reads the bundle too
        config["target"] = bundle.target.model_dump(exclude_defaults=True)
    Config.model_validate(config)
    write_atomically(folder / "config.json", _json(config))


def _members(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.name not in ("config.json", "README.md"))


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf8", "replace")


def load(folder: Path | str) -> Bundle:
    """Open a bundle, checked whole: a folder, or `hf://user/name@revision` (`ulmfit.remote`).

    Raises:
        InputError: something is missing, changed, cut short or does not fit; it says what.
    """
    folder = local_folder(folder)
    config = read_config(folder)
    wanted = {WEIGHTS[d] for d in config.directions} | {"tokenizer.json", "metrics.json"}
    if missing := wanted - config.files.keys():
        raise InputError(f"{folder}/config.json: 'files' does not list {', '.join(missing)}")
    for name in sorted(wanted):
        check_file(folder / name, config.files[name])
    architecture = Architecture(**config.architecture.model_dump())
    encoder = Encoder.load(folder / "tokenizer.json")
    if len(encoder.vocab) != architecture.vocabulary:
        raise InputError(
            f"{folder}/tokenizer.json: {len(encoder.vocab)} words, but config.json says "
            f"architecture.vocabulary = {architecture.vocabulary}"
        )
    labels = [config.id2label[i] for i in range(len(config.id2label))]
    wanted_tensors = _expected(config, architecture)
    weights = {d: _weights(folder / WEIGHTS[d], wanted_tensors) for d in config.directions}
    return Bundle(
        kind=config.kind,
        architecture=architecture,
        encoder=encoder,
        weights=weights,
        preset=config.preset,
        labels=labels,
        head=config.head,
        provenance=config.provenance,
        metrics=_metrics(folder / "metrics.json"),
        target=config.target,
        origin=str(folder),
    )


def _metrics(path: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(path.read_text("utf8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(metrics, dict):
        raise InputError(f"{path}: a JSON object is wanted, not a {type(metrics).__name__}")
    return metrics


def _expected(config: Config, architecture: Architecture) -> dict[str, Tensor]:
    """Tensors of the shapes and types of the weights, without memory."""
    with torch.device("meta"):
        model: torch.nn.Module
        if config.kind == "classifier":
            assert config.head is not None
            count = outputs(config.target.kind, len(config.id2label))
            model = empty_classifier(architecture, config.head, count)
        else:
            model = LanguageModel(AWDLSTM(architecture, Dropouts()))
    return dict(model.state_dict())


def _weights(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    try:
        tensors = unpack(safetensors.torch.load_file(path))
    except (safetensors.SafetensorError, LookupError, OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: not readable as safetensors ({error})") from None
    for name in sorted(tensors.keys() ^ expected.keys()):
        how = "missing" if name in expected else "unknown"
        raise InputError(f"{path}: tensor {name!r} is {how}")
    for name, like in expected.items():
        if tensors[name].shape != like.shape:
            got, want = tuple(tensors[name].shape), tuple(like.shape)
            raise InputError(f"{path}: tensor {name!r} has shape {got}, config.json means {want}")
        if tensors[name].dtype != like.dtype:
            raise InputError(f"{path}: tensor {name!r} holds {tensors[name].dtype}")
    _check_finite(str(path), tensors)
    return tensors


def _check_finite(where: str, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            raise InputError(f"{where}: tensor {name!r} holds what is no finite number")
