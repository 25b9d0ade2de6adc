"""Fine-tuned language models kept between fits, each under the hash of all that made it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.files import check_writable
from ulmfit.pipeline.cards import language_model_card
from ulmfit.pipeline.record import copy_logs


def memory_of(memory: Any) -> Memory | None:
    """An estimator's `memory`; None where it keeps nothing, as `joblib.Memory(None)` does.

    Raises:
        InputError: as `Memory`.
    """
    return None if getattr(memory, "location", memory) is None else Memory(memory)


class Memory:
    """A folder of bundles, safe for several processes: each bundle is whole or not there.

    Args:
        memory: a folder, or an object with one as its `location` (`joblib.Memory`, of which
            nothing else is used: no file is ever unpickled).

    Raises:
        InputError: it is neither, or the folder cannot be made or written to.
    """

    def __init__(self, memory: Any) -> None:
        location = getattr(memory, "location", memory)
        if not isinstance(location, str | os.PathLike):
            raise InputError(
                f"memory: a folder is wanted, or an object whose `location` is one, not {memory!r}"
            )
        self.folder = Path(location)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"memory: {self.folder} cannot be made ({error})") from None
        check_writable(self.folder)

    def get(self, key: str) -> Bundle | None:
        """The bundle kept under `key`.

        Raises:
            InputError: it was damaged.
        """
        place = self.folder / key
        return bundles.load(place) if place.exists() else None

    def keep(self, key: str, bundle: Bundle, run: Path | None = None) -> None:
        """Keep a bundle; one that another process has kept meanwhile stays, being the same.

        Args:
            key: its name.
            bundle: a language model.
            run: the folder of the run that made it, whose logs are kept too; None: there is none.
        """
        with tempfile.TemporaryDirectory(prefix=".", dir=self.folder) as aside:
            made = Path(aside) / key
            bundles.save(bundle, made, language_model_card(bundle))
            if run is not None:
                copy_logs(run, made)
            try:
                os.rename(made, self.folder / key)
            except OSError:
                if not (self.folder / key).exists():
                    raise


def content_key(lm: Bundle, texts: Iterable[str], settings: Mapping[str, object]) -> str:
    """A name for what fine-tuning `lm` on `texts` gives: equal where all of it is equal.

    Args:
        lm: the language model to start from; its weights and its encoder count, not its folder.
        texts: in the order in which they are read.
        settings: anything else that the result depends on; plain values and dataclasses of them.
    """
    digest = hashlib.sha256()

    def add(data: bytes) -> None:
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)

    for package in ("ulmfit", "torch"):
        add(version(package).encode())
    add(repr(sorted(settings.items())).encode())
    add(repr((lm.architecture, lm.encoder.to_dict())).encode("utf8", "surrogatepass"))
    for tensors in lm.weights.values():
        for name, tensor in tensors.items():
            add(name.encode())
            add(tensor.numpy().tobytes())
    for text in texts:
        add(text.encode("utf8", "surrogatepass"))
    return digest.hexdigest()[:32]
