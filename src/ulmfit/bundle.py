"""One folder = one model: config.json, safetensors, tokenizer.json, metrics.json, README.md.

`load` checks every file's size and sha256 and every tensor's name and shape before it builds
anything, and names what is wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor

from ulmfit.compact import Storage, pack, unpack
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel, PooledClassifier, TextClassifier
from ulmfit.text.encoder import Encoder
from ulmfit.training.checkpoint import write_atomically

FORMAT = 1
Direction = Literal["forward", "backward"]
WEIGHTS: dict[Direction, str] = {
    "forward": "model.safetensors",
    "backward": "backward.safetensors",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ArchitectureConfig(_Strict):
    """Sizes; bounds keep a forged file from asking for absurd memory."""

    vocabulary: int = Field(ge=8, le=2_000_000)
    embedding: int = Field(ge=1, le=8192)
    hidden: int = Field(ge=1, le=16384)
    layers: int = Field(ge=1, le=16)


class HeadConfig(_Strict):
    """The classifier's head and how documents are pooled."""

    hidden: int = Field(50, ge=1, le=65536)
    chunk: int = Field(70, ge=1)
    pooled_tokens: int = Field(1400, ge=1)


class FileConfig(_Strict):
    """What a file of the bundle must be."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Config(_Strict):
    """config.json."""

    format_version: Literal[1]
    kind: Literal["language-model", "classifier"]
    architecture: ArchitectureConfig
    directions: tuple[Direction, ...] = Field(min_length=1, max_length=2)
    preset: str
    id2label: dict[int, str] = {}
    head: HeadConfig | None = None
    provenance: dict[str, Any] = {}
    files: dict[str, FileConfig] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if len(set(self.directions)) != len(self.directions):
            raise ValueError("directions names one twice")
        if self.kind == "classifier" and self.head is None:
            raise ValueError("a classifier needs 'head'")
        if sorted(self.id2label) != list(range(len(self.id2label))):
            raise ValueError("id2label must number its labels 0, 1, ...")
        if self.kind == "classifier" and len(self.id2label) < 2:
            raise ValueError("id2label must number at least two labels")
        return self


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
        model = empty_classifier(self.architecture, self.head, len(self.labels))
        model.load_state_dict(self.weights[direction])
        return model.eval()

    def require(self, kind: str, direction: Direction | None = None) -> None:
        """Raise InputError unless this is a `kind` and holds `direction`."""
        if self.kind != kind:
            raise InputError(f"this bundle is a {self.kind}; a {kind} is needed here")
        if direction and direction not in self.weights:
            held = " and ".join(self.directions)
            raise InputError(f"this bundle holds no {direction} model, only {held}")


def empty_classifier(architecture: Architecture, head: HeadConfig, classes: int) -> TextClassifier:
    """A classifier of these sizes without dropout, its weights not yet learned."""
    encoder = AWDLSTM(architecture, Dropouts(0, 0, 0, 0, 0))
    top = PooledClassifier(architecture.embedding, classes, head.hidden)
    return TextClassifier(encoder, top, chunk=head.chunk, pooled_tokens=head.pooled_tokens)


def save(bundle: Bundle, folder: Path, card: str, storage: Storage = "fp32") -> None:
    """Write a bundle aside and rename it into place: `folder` is whole or not there.

    An existing bundle at `folder` is replaced; its caller has asked whether that is wanted.

    Raises:
        OSError: the disk is full, or `folder` cannot be written; nothing is left behind.
    """
    folder = folder.absolute()
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    for stale in folder.parent.glob(f".{escape(folder.name)}.*.part"):  # of a killed process
        shutil.rmtree(stale, ignore_errors=True)
    try:
        _write(bundle, aside, card, storage)
        _swap(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write(bundle: Bundle, folder: Path, card: str, storage: Storage) -> None:
    folder.mkdir(parents=True)
    for direction, tensors in bundle.weights.items():
        packed = {k: t.contiguous() for k, t in pack(tensors, storage).items()}
        write_atomically(folder / WEIGHTS[direction], safetensors.torch.save(packed))
    bundle.encoder.save(folder / "tokenizer.json")
    write_atomically(folder / "metrics.json", _json(bundle.metrics))
    write_atomically(folder / "README.md", card.encode())
    files = {p.name: {"sha256": _sha256(p), "bytes": p.stat().st_size} for p in _members(folder)}
    config = {
        "format_version": FORMAT,
        "kind": bundle.kind,
        "architecture": bundle.architecture.to_dict(),
        "directions": list(bundle.directions),
        "preset": bundle.preset,
        "id2label": dict(enumerate(bundle.labels)),
        "head": bundle.head.model_dump() if bundle.head else None,
        "provenance": bundle.provenance,
        "files": files,
    }
    Config.model_validate(config)
    write_atomically(folder / "config.json", _json(config))


def _members(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.name not in ("config.json", "README.md"))


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf8", "replace")


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _swap(new: Path, folder: Path) -> None:
    if not folder.exists():
        os.rename(new, folder)
        return
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        os.rename(old, folder)
        raise
    for replaced in folder.parent.glob(f".{escape(folder.name)}.*.old"):  # a killed process's too
        shutil.rmtree(replaced, ignore_errors=True)


def load(folder: Path | str) -> Bundle:
    """Open a bundle, checked whole.

    Raises:
        InputError: something is missing, changed, cut short or does not fit; it says what.
    """
    folder = Path(folder)
    config = _config(folder)
    wanted = {WEIGHTS[d] for d in config.directions} | {"tokenizer.json", "metrics.json"}
    if missing := wanted - config.files.keys():
        raise InputError(f"{folder}/config.json: 'files' does not list {', '.join(missing)}")
    for name in sorted(wanted):
        _check_file(folder / name, config.files[name])
    architecture = Architecture(**config.architecture.model_dump())
    encoder = Encoder.load(folder / "tokenizer.json")
    if len(encoder.vocab) != architecture.vocabulary:
        raise InputError(
            f"{folder}/tokenizer.json: {len(encoder.vocab)} words, but config.json says "
            f"architecture.vocabulary = {architecture.vocabulary}"
        )
    labels = [config.id2label[i] for i in range(len(config.id2label))]
    shapes = _expected_shapes(config, architecture)
    weights = {d: _weights(folder / WEIGHTS[d], shapes) for d in config.directions}
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
    )


def _config(folder: Path) -> Config:
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(f"{folder}: no model bundle (it has no config.json)")
    try:
        raw = json.loads(path.read_text("utf8"))
        version = raw.get("format_version") if isinstance(raw, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise InputError(f"{path}: format {version} is newer than this ulmfit reads ({FORMAT})")
        return Config.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise InputError(f"{path}: {where}: {first['msg']}") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not readable as JSON ({error})") from None


def _metrics(path: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(path.read_text("utf8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(metrics, dict):
        raise InputError(f"{path}: a JSON object is wanted, not a {type(metrics).__name__}")
    return metrics


def _check_file(path: Path, wanted: FileConfig) -> None:
    if not path.is_file():
        raise InputError(f"{path}: missing; the bundle is not complete")
    size = path.stat().st_size
    if size != wanted.bytes:
        raise InputError(f"{path}: {size} bytes, config.json says {wanted.bytes}: cut or changed")
    if _sha256(path) != wanted.sha256:
        raise InputError(f"{path}: its sha256 is not the one in config.json: the file was changed")


def _expected_shapes(config: Config, architecture: Architecture) -> dict[str, torch.Size]:
    with torch.device("meta"):
        model: torch.nn.Module
        if config.kind == "classifier":
            assert config.head is not None
            model = empty_classifier(architecture, config.head, len(config.id2label))
        else:
            model = LanguageModel(AWDLSTM(architecture, Dropouts()))
    return {name: tensor.shape for name, tensor in model.state_dict().items()}


def _weights(path: Path, shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    try:
        tensors = unpack(safetensors.torch.load_file(path))
    except (safetensors.SafetensorError, KeyError, OSError, RuntimeError, IndexError) as error:
        raise InputError(f"{path}: not readable as safetensors ({error})") from None
    for name in sorted(tensors.keys() ^ shapes.keys()):
        raise InputError(f"{path}: tensor {name!r} is {'missing' if name in shapes else 'unknown'}")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            got, want = tuple(tensors[name].shape), tuple(shape)
            raise InputError(f"{path}: tensor {name!r} has shape {got}, config.json means {want}")
    return tensors
