"""The language models that come with the package, and the code that opens them."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from ulmfit import bundle as bundles
from ulmfit import device as devices
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.remote import local_folder

FASTER, BETTER = "en-mini", "en-small"  # LOG, "Which language model is the default"
HERE = Path(str(files(__package__)))


def default_model(device: str = "auto") -> str:
    """The embedded language model that a classifier begins with where none is named.

    Args:
        device: where it will be trained; what reads better costs little time on a GPU.

    Raises:
        InputError: no such device.
    """
    return BETTER if devices.is_accelerator(devices.pick_device(device)) else FASTER


def begun_with(name: str) -> str:
    """What a classifier begins with, for a person, and what may be had for more time.

    A folder goes before an embedded model of its name, which is worth a word.
    """
    if Path(name).exists():
        return f"the language model is the folder {name}"
    advice = f" (--lm {BETTER} reads better and takes about four times as long)"
    return f"the language model is {name}" + advice * (name == FASTER)


def models() -> list[dict[str, Any]]:
    """Name, directions and sizes of each embedded model, read from its config alone."""
    default, folders = default_model(), sorted(HERE.iterdir())
    return [_told(folder, default) for folder in folders if (folder / "config.json").exists()]


def _told(folder: Path, default: str) -> dict[str, Any]:
    config = json.loads((folder / "config.json").read_text("utf8"))
    metrics = json.loads((folder / "metrics.json").read_text("utf8"))
    size = sum(path.stat().st_size for path in folder.iterdir())
    return {
        "name": folder.name,
        "default": folder.name == default,
        "directions": config["directions"],
        **config["architecture"],
        "bytes": size,
        "wikitext103_test": metrics.get("wikitext103_test"),
    }


def open_pretrained(name: str) -> Bundle:
    """A language model by the name of an embedded one, of a bundle's folder, or `hf://user/name`.

    Raises:
        InputError: there is neither, or the folder holds no whole language model.
    """
    bundle = open_model(name)
    bundle.require("language-model")
    return bundle


def open_model(name: str) -> Bundle:
    """As `open_pretrained`, and classifiers too.

    Raises:
        InputError: there is no such model, or it is not whole.
    """
    folder = local_folder(name)
    embedded = HERE / name
    if not folder.exists() and "/" not in name and (embedded / "config.json").exists():
        folder = embedded
    if not folder.exists():
        names = ", ".join(model["name"] for model in models()) or "none"
        raise InputError(
            f"model {name!r}: no such folder, and no embedded model of that name; "
            f"embedded are: {names}"
        )
    return bundles.load(folder)
