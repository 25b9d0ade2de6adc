"""config.json, the manifest of a bundle: its schema, and the files that it vouches for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ulmfit.errors import InputError

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
    """The whole of config.json."""

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
        if len(set(self.id2label.values())) != len(self.id2label):
            raise ValueError("id2label names a label twice")
        return self


def read_config(folder: Path) -> Config:
    """A bundle's config.json, checked against the schema; no other file is looked at.

    Raises:
        InputError: there is none, it is no JSON, or a value is not what it must be.
    """
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
