"""config.json, the manifest of a bundle: its schema, and the files that it vouches for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    model_validator,
)

from ulmfit.errors import InputError
from ulmfit.targets.kinds import Kind

FORMAT = 2  # the newest; 1 knows no weights of 5 or 6 bits
FEWEST_LABELS: dict[Kind, int] = {"single": 2, "multi": 1, "ordinal": 2, "real": 0}
Direction = Literal["forward", "backward"]
WEIGHTS: dict[Direction, str] = {
    "forward": "model.safetensors",
    "backward": "backward.safetensors",
}


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


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


class TargetConfig(_Strict):
    """What a classifier's outputs mean, and what follows from them (`ulmfit.targets`)."""

    kind: Kind = "single"
    temperature: Positive = 1.0
    """the logits are divided by it"""
    thresholds: tuple[Share, ...] = ()
    """multi: the least probability of each label that is given; none: 0.5 each"""
    abstain_below: Share | None = None
    """no answer that is less probable to be right"""
    separator: Annotated[str, Field(max_length=8)] = ""
    """multi: between labels that stand in one column of text"""
    mean: FiniteFloat = 0.0
    """real: the value of an output of 0"""
    scale: Positive = 1.0
    """real: what an output of 1 adds to it"""

    @model_validator(mode="after")
    def _consistent(self) -> TargetConfig:
        if self.kind != "multi" and (self.thresholds or self.separator):
            raise ValueError("thresholds and a separator belong to a multi-label target")
        if self.kind != "real" and (self.mean, self.scale) != (0.0, 1.0):
            raise ValueError("mean and scale belong to a real-valued target")
        if self.kind == "real" and (self.abstain_below is not None or self.temperature != 1):
            raise ValueError("a real-valued target has no probabilities to change or to abstain by")
        return self


SINGLE = TargetConfig()


class FileConfig(_Strict):
    """What a file of the bundle must be."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Config(_Strict):
    """The whole of config.json."""

    format_version: Literal[1, 2]
    kind: Literal["language-model", "classifier"]
    architecture: ArchitectureConfig
    directions: tuple[Direction, ...] = Field(min_length=1, max_length=2)
    preset: str
    id2label: dict[int, str] = {}
    head: HeadConfig | None = None
    target: TargetConfig = SINGLE
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
        if self.kind == "classifier":
            self._check_target()
        if len(set(self.id2label.values())) != len(self.id2label):
            raise ValueError("id2label names a label twice")
        return self

    def _check_target(self) -> None:
        count, kind = len(self.id2label), self.target.kind
        if kind == "real" and count:
            raise ValueError("id2label: a real-valued target has no labels")
        if count < FEWEST_LABELS[kind]:
            raise ValueError("id2label must number at least two labels (a multi-label target, one)")
        if len(self.target.thresholds) not in (0, count):
            raise ValueError("target.thresholds must hold one for each label")


def read_config(folder: Path) -> Config:
    """A bundle's config.json, checked against the schema; no other file is looked at.

    Raises:
        InputError: there is none, it is no JSON, or a value is not what it must be.
    """
    path = folder / "config.json"
    if not folder.exists():
        raise InputError(
            f"{folder}: there is no such folder; a model is one, as `ulmfit train` and `pretrain` "
            "write it"
        )
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


def is_bundle(folder: Path) -> bool:
    """Whether a folder has a config.json that is ours, whole or not; others have one, too."""
    try:
        raw = json.loads((folder / "config.json").read_text("utf8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and raw.keys() >= {"format_version", "kind", "architecture"}


def fingerprint(path: Path) -> FileConfig:
    """Size and sha256 of a file as it stands."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileConfig(sha256=digest, bytes=path.stat().st_size)


def check_file(path: Path, wanted: FileConfig) -> None:
    """Compare a file with what config.json says of it, its size first.

    Raises:
        InputError: it is missing, cut short or changed.
    """
    if not path.is_file():
        raise InputError(f"{path}: missing; the bundle is not complete")
    size = path.stat().st_size
    if size != wanted.bytes:
        raise InputError(f"{path}: {size} bytes, config.json says {wanted.bytes}: cut or changed")
    if fingerprint(path) != wanted:
        raise InputError(f"{path}: its sha256 is not the one in config.json: the file was changed")
