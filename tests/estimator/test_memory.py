"""Fine-tuned language models kept between fits: taken where all is equal, and nowhere else."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier, fitting
from ulmfit.estimator.memory import Memory, content_key

Make = Callable[..., ULMFiTClassifier]


@pytest.fixture
def remembering(quick: Make, tmp_path: Path) -> Make:
    def make(**parameters: Any) -> ULMFiTClassifier:
        chosen = {"finetune": True, "lm_epochs": 1, "epochs": 1, "memory": str(tmp_path / "memory")}
        return quick(**{**chosen, **parameters})

    return make


@pytest.fixture
def tunings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each language model that is really fine-tuned."""
    told: list[str] = []
    real = fitting.tuned_on

    def counted(*arguments: Any) -> Any:
        told.append("tuned")
        return real(*arguments)

    monkeypatch.setattr(fitting, "tuned_on", counted)
    return told


def test_other_settings_of_the_classifier_take_the_language_model_that_is_there(
    remembering: Make, tunings: list[str], texts: list[str], words: list[str], tmp_path: Path
) -> None:
    first = remembering().fit(texts, words)
    second = remembering(epochs=2).fit(texts, [word.upper() for word in words])
    third = remembering().fit(texts, words)
    assert len(tunings) == 1 and len(list((tmp_path / "memory").iterdir())) == 1
    np.testing.assert_array_equal(third.predict_proba(texts), first.predict_proba(texts))
    assert not np.array_equal(second.predict_proba(texts), first.predict_proba(texts))
    forgetting = remembering(memory=None).fit(texts, words)
    np.testing.assert_array_equal(forgetting.predict_proba(texts), first.predict_proba(texts))
    assert forgetting.bundle_.provenance == {
        **first.bundle_.provenance,
        "estimator": forgetting.bundle_.provenance["estimator"],
    }


OTHERS: list[dict[str, Any]] = [
    {"random_state": 1},
    {"lm_epochs": 2},
    {"direction": "backward"},
    {"preset": "v2", "settings": None},
    {"settings": {"language_model": {"peak": 0.001}}},
    {"time_budget": 10.0},
]


@pytest.mark.parametrize("other", OTHERS)
def test_other_settings_of_the_language_model_do_not(
    other: dict[str, Any],
    remembering: Make,
    tunings: list[str],
    texts: list[str],
    words: list[str],
) -> None:
    remembering().fit(texts, words)
    remembering(**other).fit(texts, words)
    assert len(tunings) == 2


def test_other_texts_do_not(
    remembering: Make, tunings: list[str], texts: list[str], words: list[str]
) -> None:
    remembering().fit(texts, words)
    remembering().fit(texts, words, unlabelled=["one more film"])
    remembering().fit(texts[:-1], words[:-1])
    remembering().fit(texts[::-1], words[::-1])
    assert len(tunings) == 4
    remembering().fit([*texts, texts[0]], [*words, words[0]])  # the same texts, one of them twice
    assert len(tunings) == 4


def test_joblibs_memory_lends_its_folder(
    remembering: Make, tunings: list[str], texts: list[str], words: list[str], tmp_path: Path
) -> None:
    remembering(memory=joblib.Memory(tmp_path / "memory", verbose=0)).fit(texts, words)
    remembering().fit(texts, words)
    assert len(tunings) == 1


def test_a_damaged_language_model_is_told_and_not_used(
    remembering: Make, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    remembering().fit(texts, words)
    (kept,) = (tmp_path / "memory").iterdir()
    weights = (kept / "model.safetensors").read_bytes()
    (kept / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(InputError, match=r"model\.safetensors: its sha256"):
        remembering().fit(texts, words)


def test_two_processes_may_keep_the_same(lm: Path, tmp_path: Path) -> None:
    bundle = bundles.load(lm)
    ours, theirs = Memory(tmp_path / "memory"), Memory(str(tmp_path / "memory"))
    assert ours.get("key") is None
    ours.keep("key", bundle)
    theirs.keep("key", bundle)
    found = theirs.get("key")
    assert found is not None and [p.name for p in (tmp_path / "memory").iterdir()] == ["key"]
    assert torch.equal(
        found.weights["forward"]["encoder.embedding"],
        bundle.weights["forward"]["encoder.embedding"],
    )


def test_joblibs_memory_without_a_folder_keeps_nothing(
    remembering: Make, tunings: list[str], texts: list[str], words: list[str], tmp_path: Path
) -> None:
    for _ in range(2):
        remembering(memory=joblib.Memory(location=None)).fit(texts, words)
    assert len(tunings) == 2 and not (tmp_path / "memory").exists()


@pytest.mark.parametrize("memory", [3, True, SimpleNamespace(location=3)])
def test_what_is_no_folder_is_told(memory: Any) -> None:
    with pytest.raises(InputError, match="memory: a folder is wanted"):
        Memory(memory)


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        Memory(tmp_path / "file")


def test_borders_between_texts_count(lm: Path) -> None:
    bundle = bundles.load(lm)
    keys = {
        content_key(bundle, texts, {}) for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""])
    }
    assert len(keys) == 4
