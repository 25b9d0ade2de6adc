"""A fitted estimator as a bundle's folder, and back: labels of the original type, parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.estimator import recording
from ulmfit.estimator.plain import in_json, lm_name, plain
from ulmfit.manifest import is_bundle
from ulmfit.pipeline.cards import classifier_card
from ulmfit.remote import refuse_remote
from ulmfit.targets.kinds import Kind

ESTIMATOR = "estimator"
"""of the provenance: what an estimator needs and a bundle does not"""
WEIGHTS = "class_weight"
OF_A_MACHINE = ("device", "precision", "n_jobs", "memory", "verbose")
"""parameters that stay behind: they are chosen anew where a model is loaded"""


def with_estimator(
    bundle: Bundle, parameters: Mapping[str, Any], classes: Mapping[str, Any] | None
) -> Bundle:
    """The bundle with what `load` needs to give the same estimator.

    A parameter that JSON does not have is left out: where the model is opened, it has its default.

    Args:
        bundle: freshly trained.
        parameters: the estimator's `get_params()`.
        classes: `Classes.to_dict`, or None where there are no classes.
    """
    told = {k: _plain(k, v) for k, v in parameters.items() if k not in OF_A_MACHINE}
    kept = {"parameters": {k: v for k, v in told.items() if in_json(v)}, "classes": classes}
    return replace(bundle, provenance={**bundle.provenance, ESTIMATOR: kept})


def _plain(name: str, value: Any) -> Any:
    if name == "lm" and value is not None:
        return lm_name(value)
    if name == WEIGHTS and isinstance(value, Mapping):  # keys of JSON are strings, labels may not
        return [[plain(label), float(weight)] for label, weight in value.items()]
    return plain(value)


def opened(
    folder: str | PathLike[str],
    kinds: Collection[Kind],
    known: Mapping[str, Any],
    chosen: Mapping[str, Any],
) -> tuple[Bundle, dict[str, Any]]:
    """A saved estimator's bundle and parameters; those that it does not tell are left out.

    Args:
        folder: a classifier's.
        kinds: of the targets that the estimator knows.
        known: its parameters.
        chosen: parameters that go before those kept.

    Raises:
        InputError: there is no such model, or a parameter is unknown.
    """
    bundle = bundles.load(fspath(folder))
    bundle.require("classifier")
    if bundle.target.kind not in kinds:
        other = "ULMFiTRegressor" if bundle.target.kind == "real" else "ULMFiTClassifier"
        raise InputError(f"{folder}: its target is {bundle.target.kind}; open it with {other}")
    if unknown := sorted(chosen.keys() - known.keys()):
        raise InputError(f"no parameter {unknown[0]!r}; choose of {', '.join(known)}")
    return bundle, {**_parameters(bundle, known), **chosen}


def _parameters(bundle: Bundle, known: Collection[str]) -> dict[str, Any]:
    """Those that `with_estimator` kept, but a newer version's that are not known here."""
    told = _told(bundle, "parameters") or {}
    parameters = {k: v for k, v in told.items() if k in known and k not in OF_A_MACHINE}
    try:
        if isinstance(pairs := parameters.get(WEIGHTS), list):
            parameters[WEIGHTS] = {label: weight for label, weight in pairs}
    except (TypeError, ValueError):
        raise InputError(f"the bundle's provenance.estimator.{WEIGHTS}: pairs are wanted") from None
    return parameters


def told_classes(bundle: Bundle) -> dict[str, Any] | None:
    """The classes of a saved estimator; None of a bundle that was made otherwise.

    Raises:
        InputError: they are not what `with_estimator` wrote.
    """
    return _told(bundle, "classes")


def _told(bundle: Bundle, what: str) -> dict[str, Any] | None:
    kept = bundle.provenance.get(ESTIMATOR)
    if kept is None:
        return None
    told = kept.get(what) if isinstance(kept, dict) else kept
    if not isinstance(told, dict | None):
        raise InputError(f"the bundle's provenance.estimator.{what}: an object is wanted")
    return told


def save_at(bundle: Bundle, record: bytes | None, folder: Path, overwrite: bool) -> None:
    """Write the bundle, whole or not there, then the packed record of its making.

    Raises:
        InputError: `folder` exists, and is no model or not to be replaced.
        OSError: the disk is full, and the like.
    """
    refuse_remote(folder)
    if folder.exists() and not overwrite:
        raise InputError(f"{folder}: exists already; choose another folder, or overwrite=True")
    if folder.exists() and not is_bundle(folder):
        raise InputError(f"{folder}: exists and is no model, so overwrite does not replace it")
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    bundles.save(bundle, folder, classifier_card(bundle))
    recording.write(record, folder)
