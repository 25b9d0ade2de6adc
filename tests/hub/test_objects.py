"""`datasets` objects as input and output: the same rows, the same answers as from a file."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ulmfit
from ulmfit.errors import InputError
from ulmfit.hub import predict_dataset, saved
from ulmfit.pipeline.options import Machine

datasets = pytest.importorskip("datasets", reason="the extra [hub] is not installed")
MACHINE = Machine("cpu", "fp32", workers=1)


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets.disable_progress_bars()


@pytest.fixture
def reviews(texts: list[str]) -> Any:
    names = datasets.ClassLabel(names=["bad", "good"])
    features = datasets.Features({"review": datasets.Value("string"), "stars": names})
    rows = {"review": texts, "stars": [i % 2 for i in range(len(texts))]}
    return datasets.Dataset.from_dict(rows, features=features)


def test_a_data_set_is_a_source_of_rows(reviews: Any, texts: list[str], tmp_path: Path) -> None:
    source = saved(reviews, tmp_path / "rows", label="stars")
    told = [(row.text, row.label) for row in source.rows()]
    assert told == [(text, ("bad", "good")[i % 2]) for i, text in enumerate(texts)]


def test_a_view_is_saved_as_it_is_seen(reviews: Any, tmp_path: Path) -> None:
    view = reviews.shuffle(seed=1).select(range(5)).filter(lambda row: row["stars"] == 1)
    source = saved(view, tmp_path / "rows", label="stars")
    assert [row.text for row in source.rows()] == view["review"][:]


def test_a_split_is_asked_for(reviews: Any, tmp_path: Path) -> None:
    both = datasets.DatasetDict(train=reviews, test=reviews.select([0, 1]))
    for split in (None, "valid"):
        with pytest.raises(InputError, match="'train', 'test'"):
            saved(both, tmp_path / "rows", split=split)
    assert len(list(saved(both, tmp_path / "rows", split="test").rows())) == 2
    with pytest.raises(InputError, match="one split already"):
        saved(reviews, tmp_path / "rows", split="train")


def test_the_folder_is_used_again_for_the_same_data_set_only(reviews: Any, tmp_path: Path) -> None:
    first = saved(reviews, tmp_path / "rows")
    assert saved(reviews, tmp_path / "rows") == first
    for other in (tmp_path / "rows", tmp_path):
        with pytest.raises(InputError, match="something else"):
            saved(reviews.select([1]), other)


def test_what_is_no_data_set(reviews: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a list"):
        saved([{"text": "x"}], tmp_path / "rows")
    with pytest.raises(InputError, match=r"not a IterableDataset; .*from_list"):
        saved(reviews.to_iterable_dataset(), tmp_path / "rows")
    with pytest.raises(InputError, match="no column 'body'"):
        saved(reviews, tmp_path / "rows", text=("body",))


def test_answers_stand_beside_the_rows(reviews: Any, classifier: Path) -> None:
    bundle = ulmfit.load(classifier)
    made = predict_dataset(bundle, reviews, machine=MACHINE)
    assert made["review"][:] == reviews["review"][:] and made["stars"][:] == reviews["stars"][:]
    assert made.features["stars"].names == ["bad", "good"]
    wanted = np.stack(list(ulmfit.Predictor(bundle, "cpu").probabilities(reviews["review"][:])))
    found = np.stack([made[f"p_{name}"][:] for name in bundle.labels], axis=1)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert made["label"][:] == [bundle.labels[i] for i in wanted.argmax(1)]


def test_training_on_a_data_set(reviews: Any, lm: Path, tmp_path: Path) -> None:
    source = saved(reviews, tmp_path / "rows", label="stars")
    options = ulmfit.TrainOptions(
        source, str(tmp_path / "model"), MACHINE, str(lm), finetune=False, epochs=1
    )
    for _ in ulmfit.train(options):
        pass
    assert ulmfit.load(tmp_path / "model").labels == ["bad", "good"]


def test_without_the_extra_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)  # as if it were not installed
    with pytest.raises(InputError, match=r"pip install 'ulmfit\[hub\]'"):
        saved(object(), tmp_path / "rows")
