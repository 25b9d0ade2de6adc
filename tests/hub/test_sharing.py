"""Models go to the hub and come back the same; what is not a model, or not there, is told."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard, constants

import ulmfit
from ulmfit import Source, TrainOptions, ULMFiTClassifier, train
from ulmfit.errors import InputError
from ulmfit.hub.sharing import pull, push
from ulmfit.pretrained import open_pretrained
from ulmfit.remote import local_folder, parse

from .conftest import FakeHub

BUNDLE = ["backward.safetensors", "config.json", "metrics.json", "model.safetensors"]
BUNDLE = sorted([*BUNDLE, "tokenizer.json", "README.md"])


def same_model(a: Path, b: Path) -> bool:
    one, other = ulmfit.load(a), ulmfit.load(b)
    return all(
        torch.equal(tensor, other.weights[direction][name])
        for direction, tensors in one.weights.items()
        for name, tensor in tensors.items()
    )


def test_a_model_comes_back_as_it_went(hub: FakeHub, classifier: Path, tmp_path: Path) -> None:
    address = push(classifier, "me/reviews")
    assert address.startswith(f"{hub.address}/me/reviews/commit/")
    assert sorted(hub.files("me/reviews")) == sorted([".gitattributes", *BUNDLE])
    assert pull("me/reviews", tmp_path / "back") == tmp_path / "back"
    assert same_model(classifier, tmp_path / "back")
    assert not any((tmp_path / "back" / name).is_symlink() for name in BUNDLE)
    assert not list(tmp_path.glob(".back*"))


def test_nothing_but_the_bundle_goes_up(hub: FakeHub, classifier: Path, tmp_path: Path) -> None:
    pull_me = tmp_path / "copy"
    push(classifier, "me/first")
    pull("me/first", pull_me)
    (pull_me / "report.html").write_text("my customers' texts")
    (pull_me / "training.jsonl").write_text("my paths")
    push(pull_me, "me/second")
    assert sorted(hub.files("me/second")) == sorted([".gitattributes", *BUNDLE])


def test_nothing_but_a_bundle_comes_down(hub: FakeHub, lm: Path) -> None:
    files = {path.name: path.read_bytes() for path in lm.iterdir()}
    hub.put("me/lm", {**files, "model.pt": b"pickle", "run.py": b"code", "a/config.json": b"{}"})
    folder = local_folder("hf://me/lm")
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))
    assert found == sorted(files)
    asked = [line for line in hub.requests if "/resolve/" in line]
    assert not [line for line in asked if line.endswith((".pt", ".py", "a/config.json"))]


def test_the_name_is_taken_wherever_a_folder_is(
    hub: FakeHub, classifier: Path, lm: Path, tmp_path: Path
) -> None:
    push(lm, "me/lm")
    push(classifier, "me/reviews")
    assert open_pretrained("hf://me/lm").kind == "language-model"
    assert ulmfit.load("hf://me/reviews").kind == "classifier"
    with pytest.raises(InputError, match="language-model is needed"):
        open_pretrained("hf://me/reviews")


def test_a_revision_stays_what_it_was(hub: FakeHub, lm: Path, classifier: Path) -> None:
    first = push(lm, "me/model").rpartition("/")[2]
    push(classifier, "me/model")
    push(lm, "me/model@small")
    assert ulmfit.load("hf://me/model").kind == "classifier"
    assert ulmfit.load(f"hf://me/model@{first}").kind == "language-model"
    assert ulmfit.load("hf://me/model@small").kind == "language-model"


def test_files_of_an_earlier_model_do_not_stay(hub: FakeHub, lm: Path, classifier: Path) -> None:
    push(classifier, "me/model")
    assert "backward.safetensors" in hub.files("me/model")
    push(lm, "me/model")
    assert "backward.safetensors" not in hub.files("me/model")
    assert ulmfit.load("hf://me/model").kind == "language-model"


def test_a_run_remembers_the_files_of_its_day(
    hub: FakeHub, lm: Path, classifier: Path, tmp_path: Path
) -> None:
    from ulmfit.pipeline.options import Source, TrainOptions
    from ulmfit.pipeline.runs import begin

    push(lm, "me/lm")
    data = tmp_path / "data.csv"
    data.write_text("text,label\na film,x\nthe film,y\n")
    options = TrainOptions(Source((str(data),)), str(tmp_path / "model"), lm="hf://me/lm")
    folder = begin("train", options, overwrite=False, resuming=False)
    asked = json.loads((folder / "run.json").read_text())
    assert Path(asked["options"]["lm"]).is_dir() and "hf://me/lm" in asked["command_line"]
    push(classifier, "me/lm")
    assert open_pretrained(asked["options"]["lm"]).kind == "language-model"


def test_what_is_in_the_cache_is_not_fetched_again(hub: FakeHub, lm: Path) -> None:
    push(lm, "me/lm")
    local_folder("hf://me/lm")
    hub.requests.clear()
    local_folder("hf://me/lm")
    assert not [line for line in hub.requests if line.startswith("GET") and "/resolve/" in line]


def test_without_the_hub_the_cache_serves(hub: FakeHub, lm: Path) -> None:
    push(lm, "me/lm")
    wanted = local_folder("hf://me/lm")
    hub.down = True
    assert local_folder("hf://me/lm") == wanted
    with pytest.raises(OSError, match="hf://me/other: the hub cannot be reached"):
        local_folder("hf://me/other")
    with pytest.raises(OSError, match=r"the hub failed|cannot be reached"):
        push(lm, "me/lm")


def test_offline_the_cache_serves_and_nobody_is_asked(
    hub: FakeHub, lm: Path, tmp_path: Path
) -> None:
    """In a process of its own, as the client reads HF_HUB_OFFLINE when it is imported."""
    push(lm, "me/lm")
    wanted = local_folder("hf://me/lm")
    hub.requests.clear()
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_CACHE": str(constants.HF_HUB_CACHE),
        "HF_ENDPOINT": hub.address,
    }
    code = (
        "import sys; from ulmfit.remote import local_folder\n"
        "for name in sys.argv[1:]: print(local_folder(name))"
    )
    words = [sys.executable, "-c", code, "hf://me/lm", "hf://me/unknown"]
    asked = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert asked.stdout.strip() == str(wanted)
    assert "ConnectionError: hf://me/unknown: the hub cannot be reached" in asked.stderr
    assert hub.requests == []


def test_where_nothing_listens(hub: FakeHub, lm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"hf://me/lm: .*reached"):
        local_folder("hf://me/lm")
    with pytest.raises(OSError, match=r"hf://me/lm: .*reached"):
        push(lm, "me/lm")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("hf://me/nothing", "no such model"),
        ("hf://me/lm@never", "no such revision"),
        ("hf://me", "expected hf://user/name"),
        ("hf://me/lm/more", "expected hf://user/name"),
        ("hf://me/lm@", "expected hf://user/name"),
        ("hf://../lm", "hf://../lm"),
        ("hf://me/l m", "expected hf://user/name"),
        ("hf://me/--lm..", "me/--lm"),
    ],
)
def test_names_that_are_none(name: str, match: str, hub: FakeHub, lm: Path) -> None:
    push(lm, "me/lm")
    with pytest.raises(InputError, match=match):
        local_folder(name)


def test_a_repository_of_another_kind(hub: FakeHub) -> None:
    hub.put("me/other", {"config.json": b'{"architectures": ["Bert"]}', "model.safetensors": b""})
    with pytest.raises(InputError, match=r"config\.json: "):
        ulmfit.load("hf://me/other")
    hub.put("me/data", {"README.md": b"# nothing here"})
    with pytest.raises(InputError, match=r"no config\.json"):
        ulmfit.load("hf://me/data")


def test_a_changed_file_is_refused(hub: FakeHub, lm: Path, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in lm.iterdir()}
    hub.put("me/lm", {**files, "metrics.json": files["metrics.json"].replace(b"4.5", b"3.5")})
    with pytest.raises(InputError, match="sha256"):
        pull("me/lm", tmp_path / "lm")
    assert not (tmp_path / "lm").exists()


def test_push_and_pull_refuse_at_the_door(
    hub: FakeHub, lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="expected hf://user/name"):
        push(lm, "my model")
    with pytest.raises(InputError, match="no model bundle"):
        push(tmp_path, "me/lm")
    monkeypatch.setenv("HF_TOKEN", "hf_of_another")
    with pytest.raises(InputError, match=r"hf auth login|HF_TOKEN"):
        push(lm, "me/lm")
    hub.put("me/lm", {path.name: path.read_bytes() for path in lm.iterdir()})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text('{"model_type": "bert"}')
    for overwrite in (False, True):  # not even to overwrite: it is no model of ours
        with pytest.raises(InputError, match="exists already"):
            pull("me/lm", tmp_path / "mine", overwrite=overwrite)
    pull("me/lm", tmp_path / "model")
    pull("me/lm", tmp_path / "model", overwrite=True)


def test_a_card_that_the_hub_refuses(hub: FakeHub, lm: Path) -> None:
    hub.complaints = [{"message": '"license" must be one of [apache-2.0, ...]'}]
    with pytest.raises(InputError, match=r"(?s)me/lm: the hub refuses this .*\"license\" must be"):
        push(lm, "me/lm", license="mine")


def test_a_folder_to_write_is_no_name_of_the_hub(
    hub: FakeHub, lm: Path, classifier: Path, tmp_path: Path
) -> None:
    told = "a folder of this machine; then `ulmfit push"
    with pytest.raises(InputError, match=told):
        pull("me/lm", "hf://me/other")
    with pytest.raises(InputError, match=told):
        ULMFiTClassifier.load(classifier).save("hf://me/reviews")
    data = tmp_path / "data.csv"
    data.write_text("text,label\ngood,1\nbad,0\n" * 5)
    for place in ("hf://me/reviews", str(Path("hf://me/reviews"))):
        with pytest.raises(InputError, match=told):
            list(train(TrainOptions(Source((str(data),)), place, lm=str(lm))))


@pytest.mark.parametrize("failing", ["replace", "rename"])  # of a file, of the folder
def test_a_pull_that_fails_leaves_the_model_that_was_there(
    failing: str,
    hub: FakeHub,
    lm: Path,
    classifier: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push(lm, "me/lm")
    push(classifier, "me/reviews")
    out = pull("me/lm", tmp_path / "mine" / "model")
    real = getattr(os, failing)

    def refuse(source: str | Path, target: str | Path) -> None:
        if str(source).endswith(".part"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    with monkeypatch.context() as broken:
        broken.setattr(os, failing, refuse)
        with pytest.raises(OSError, match="No space left"):
            pull("me/reviews", out, overwrite=True)
    assert same_model(lm, out) and [path.name for path in out.parent.iterdir()] == ["model"]
    assert same_model(classifier, pull("me/reviews", out, overwrite=True))


def test_a_revision_is_part_of_the_name() -> None:
    assert parse("hf://me/lm") == ("me/lm", None)
    assert parse("me/lm@v1.0") == ("me/lm", "v1.0")
    assert parse("hf://me/lm@refs/pr/1") == ("me/lm", "refs/pr/1")


def card_of(hub: FakeHub, name: str) -> dict[str, Any]:
    text = hub.files(name)["README.md"].decode()
    assert hub.cards[-1] == text  # what the hub itself was asked to validate
    told: dict[str, Any] = ModelCard(text).data.to_dict()
    return told


def test_the_card_of_a_classifier(hub: FakeHub, classifier: Path) -> None:
    push(classifier, "me/reviews", license="apache-2.0")
    card = card_of(hub, "me/reviews")
    assert card["license"] == "apache-2.0" and card["library_name"] == "ulmfit"
    assert card["pipeline_tag"] == "text-classification"
    assert {"ulmfit", "safetensors"} <= set(card["tags"])
    (result,) = card["model-index"][0]["results"]
    told = {m["type"]: m["value"] for m in result["metrics"]}
    assert told == {"accuracy": 0.875, "loss": 0.4}
    assert "validation" in result["dataset"]["name"]
    assert card["metrics"] == ["accuracy", "loss"]
    assert ModelCard(hub.files("me/reviews")["README.md"].decode()).text.strip() == (
        "# A text classifier\n\n---\n\nmore"
    )


def test_the_card_of_a_language_model(hub: FakeHub, lm: Path) -> None:
    push(lm, "me/lm")
    card = card_of(hub, "me/lm")
    assert "license" not in card and card["pipeline_tag"] == "text-generation"
    (result,) = card["model-index"][0]["results"]
    assert {m["type"]: m["value"] for m in result["metrics"]} == {"loss": 4.5, "perplexity": 90.0}


def test_a_front_matter_is_replaced_and_never_doubled(
    hub: FakeHub, lm: Path, tmp_path: Path
) -> None:
    push(lm, "me/lm", license="mit")
    pull("me/lm", tmp_path / "back")
    push(tmp_path / "back", "me/again", license="apache-2.0")
    text = hub.files("me/again")["README.md"].decode()
    assert text.count("library_name: ulmfit") == 1
    assert card_of(hub, "me/again")["license"] == "apache-2.0"


def test_a_private_repository(hub: FakeHub, lm: Path) -> None:
    push(lm, "me/secret", private=True)
    assert hub.repositories["me/secret"].private
