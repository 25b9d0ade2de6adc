"""A bundle comes back exactly, or not at all and with the reason."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from ulmfit import bundle as bundles
from ulmfit import files
from ulmfit.bundle import Bundle, Direction, HeadConfig, TargetConfig, empty_classifier
from ulmfit.compact import BITS, Storage, pack, unpack
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.targets.kinds import outputs
from ulmfit.text import build_encoder

TEXTS = ["a good film", "a bad film", "no film at all"]
ENCODER = build_encoder(lambda: iter(TEXTS), min_count=1)
SIZES = Architecture(len(ENCODER.vocab), 4, 6, 2)
HEAD = HeadConfig(hidden=5, chunk=7, pooled_tokens=50)
BOTH: tuple[Direction, ...] = ("forward", "backward")


def language_model(directions: tuple[Direction, ...] = BOTH) -> Bundle:
    torch.manual_seed(0)
    weights = {d: LanguageModel(AWDLSTM(SIZES, Dropouts())).state_dict() for d in directions}
    metrics = {"forward": {"history": [{"epoch": 0, "loss": 1 / 3}]}}
    told = {"text": "Grüße ☃ \ud800"}
    return Bundle("language-model", SIZES, ENCODER, weights, "v2", provenance=told, metrics=metrics)


def classifier() -> Bundle:
    torch.manual_seed(0)
    weights: dict[Direction, Any] = {"forward": empty_classifier(SIZES, HEAD, 2).state_dict()}
    return Bundle("classifier", SIZES, ENCODER, weights, "v1", ["bad", "good"], HEAD)


def with_target(kind: Any, labels: list[str], **values: Any) -> Bundle:
    """A classifier of another kind."""
    torch.manual_seed(0)
    model = empty_classifier(SIZES, HEAD, outputs(kind, len(labels)))
    return Bundle(
        *("classifier", SIZES, ENCODER, {"forward": model.state_dict()}, "v2", labels, HEAD),
        target=TargetConfig(kind=kind, **values),
    )


def same_weights(a: Bundle, b: Bundle) -> bool:
    return a.weights.keys() == b.weights.keys() and all(
        a.weights[d].keys() == b.weights[d].keys()
        and all(torch.equal(t, b.weights[d][n]) for n, t in a.weights[d].items())
        for d in a.weights
    )


@pytest.mark.parametrize("make", [language_model, classifier])
def test_a_bundle_comes_back_to_the_bit(make: Callable[[], Bundle], tmp_path: Path) -> None:
    saved = make()
    bundles.save(saved, tmp_path / "m", "# A card\n")
    back = bundles.load(tmp_path / "m")
    assert same_weights(saved, back)
    assert back.encoder.to_dict() == saved.encoder.to_dict()
    for name in ("kind", "architecture", "preset", "labels", "head", "metrics", "directions"):
        assert getattr(back, name) == getattr(saved, name), name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m"]
    assert (tmp_path / "m" / "README.md").read_text() == "# A card\n"


@pytest.mark.parametrize(
    "made",
    [
        with_target("single", ["a", "b"], temperature=1.5, abstain_below=0.7),
        with_target("multi", ["a"], thresholds=(0.3,), separator="|"),
        with_target("multi", ["a", "b", "c"], temperature=0.9),
        with_target("ordinal", ["1", "2", "3"]),
        with_target("real", [], mean=-3.5, scale=1 / 3),
    ],
    ids=lambda made: str(made.target.kind),
)
def test_every_kind_of_target_comes_back(made: Bundle, tmp_path: Path) -> None:
    bundles.save(made, tmp_path / "m", "")
    back = bundles.load(tmp_path / "m")
    assert back.target == made.target and back.labels == made.labels
    ids, lengths = torch.randint(8, (9, 3)), torch.tensor([9, 4, 1])
    wanted = outputs(made.target.kind, len(made.labels))
    assert back.classifier("forward")(ids, lengths).shape == (3, wanted)


def test_a_bundle_from_before_there_were_kinds_is_single_label(tmp_path: Path) -> None:
    bundles.save(classifier(), tmp_path / "m", "")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["format_version"] == 1 and "target" not in config
    assert bundles.load(tmp_path / "m").target.kind == "single"


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        bundles.save(language_model(), tmp_path / name, "card")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("storage", ["bf16", "int8", "int6", "int5"])
def test_compact_weights_are_the_same_on_every_load(storage: Storage, tmp_path: Path) -> None:
    saved = language_model()
    bundles.save(saved, tmp_path / "m", "", storage)
    one, two = bundles.load(tmp_path / "m"), bundles.load(tmp_path / "m")
    assert same_weights(one, two)
    for direction, tensors in saved.weights.items():
        wanted = unpack(pack(tensors, storage))
        assert all(torch.equal(t, wanted[n]) for n, t in one.weights[direction].items())
    version = json.loads((tmp_path / "m" / "config.json").read_text())["format_version"]
    assert version == (2 if storage in BITS else 1), "the oldest that knows what is stored"
    names = ("model.safetensors", "metrics.json", "config.json")
    assert all(b"pickle" not in (tmp_path / "m" / n).read_bytes() for n in names)


def test_a_loaded_model_computes_what_the_saved_one_did(tmp_path: Path) -> None:
    saved = classifier()
    bundles.save(saved, tmp_path / "m", "")
    ids, lengths = torch.randint(8, (9, 3)), torch.tensor([9, 4, 1])
    before = saved.classifier("forward")(ids, lengths)
    model = bundles.load(tmp_path / "m").classifier("forward")
    assert torch.equal(model(ids, lengths), before)
    assert not model.training


def test_asking_for_what_is_not_there() -> None:
    with pytest.raises(InputError, match="is a classifier; a language-model is needed"):
        classifier().language_model("forward", Dropouts())
    with pytest.raises(InputError, match="holds no backward model, only forward"):
        classifier().classifier("backward")


def test_an_existing_bundle_is_replaced_whole(tmp_path: Path) -> None:
    bundles.save(language_model(), tmp_path / "m", "")
    bundles.save(classifier(), tmp_path / "m", "")
    assert bundles.load(tmp_path / "m").kind == "classifier"
    assert not (tmp_path / "m" / "backward.safetensors").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("failing_call", range(1, 9))
def test_a_disk_that_fills_up_leaves_the_old_bundle(
    failing_call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundles.save(classifier(), tmp_path / "m", "")
    calls, fsync = 0, os.fsync

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == failing_call:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        bundles.save(language_model(), tmp_path / "m", "")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert bundles.load(tmp_path / "m").kind == "classifier"


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_writer_left_is_cleared_away(ended: int, tmp_path: Path) -> None:
    for name in (f".m.{ended}.part", f".m.{ended}.old", f".m.{10**12}.part"):
        (tmp_path / name).mkdir()
    bundles.save(classifier(), tmp_path / "m", "")
    bundles.save(classifier(), tmp_path / "m", "")
    assert names(tmp_path) == ["m"]


def test_what_others_write_is_left_alone(ended: int, tmp_path: Path) -> None:
    """`m.v2` is another bundle; this process's parent runs."""
    running = os.getppid()
    begun = [f".m.{running}.old", f".m.{running}.part", f".m.v2.{ended}.old", f".m.v2.{ended}.part"]
    begun += [".m.x.part", f".other.{ended}.part"]
    for name in begun:
        (tmp_path / name).mkdir()
    bundles.save(classifier(), tmp_path / "m", "")
    bundles.save(classifier(), tmp_path / "m", "")
    assert names(tmp_path) == sorted([*begun, "m"])


def test_a_killed_process_of_the_same_number_is_no_hindrance(tmp_path: Path) -> None:
    """In a container every process may be number 1."""
    for suffix in ("old", "part"):
        (tmp_path / f".m.{os.getpid()}.{suffix}").mkdir()
        (tmp_path / f".m.{os.getpid()}.{suffix}" / "config.json").touch()
    bundles.save(language_model(), tmp_path / "m", "")
    bundles.save(classifier(), tmp_path / "m", "")
    assert bundles.load(tmp_path / "m").kind == "classifier"
    assert names(tmp_path) == ["m"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="asks as another user")
def test_a_process_of_another_user_runs_too() -> None:
    os.seteuid(65534)
    try:
        assert files._is_anothers(1)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "failure", [OSError(errno.EACCES, "Permission denied"), KeyboardInterrupt()], ids=repr
)
def test_a_bundle_that_cannot_be_put_in_place_leaves_the_old_one(
    failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundles.save(classifier(), tmp_path / "m", "")
    rename = os.rename

    def refuse(source: Path, target: Path) -> None:
        if source.suffix == ".part":
            raise failure
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(type(failure)):
        bundles.save(language_model(), tmp_path / "m", "")
    assert bundles.load(tmp_path / "m").kind == "classifier"
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


Damage = Callable[[Path], object]


def change_byte(name: str, place: int) -> Damage:
    def damage(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[place] ^= 1
        (folder / name).write_bytes(data)

    return damage


def cut(name: str, by: int) -> Damage:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-by])


def forge(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        change(config)
        (folder / "config.json").write_text(json.dumps(config))

    return damage


def replace_file(name: str, data: bytes) -> Damage:
    """With a config that agrees."""

    def damage(folder: Path) -> None:
        (folder / name).write_bytes(data)
        told = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        forge(lambda c: c["files"].update({name: told}))(folder)

    return damage


def weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Damage:
    """Other tensors, with a config that agrees."""

    def damage(folder: Path) -> None:
        tensors = safetensors.torch.load_file(folder / "model.safetensors")
        change(tensors)
        replace_file("model.safetensors", safetensors.torch.save(tensors))(folder)

    return damage


BIAS = "head.linear2.bias"
ROWS = "encoder.embedding"
DAMAGES: dict[str, tuple[Damage, str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "no model bundle"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), r"model\.safetensors: missing"),
    "no words": (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer\.json: missing"),
    "no metrics": (lambda f: (f / "metrics.json").unlink(), r"metrics\.json: missing"),
    "weights cut": (cut("model.safetensors", 1), r"model\.safetensors: \d+ bytes, config\.json"),
    "words cut": (cut("tokenizer.json", 9), r"tokenizer\.json: \d+ bytes, config\.json"),
    "config cut": (cut("config.json", 9), r"config\.json: not readable as JSON"),
    "config not UTF-8": (
        lambda f: (f / "config.json").write_bytes(b"\xff"),
        r"config\.json: not readable as JSON",
    ),
    "config a list": (lambda f: (f / "config.json").write_text("[]"), r"config\.json: "),
    "config nested": (
        lambda f: (f / "config.json").write_text("[" * 100_000),
        r"config\.json: not readable as JSON",
    ),
    "byte of weights": (change_byte("model.safetensors", -1), r"model\.safetensors: its sha256"),
    "byte of header": (change_byte("model.safetensors", 20), r"model\.safetensors: its sha256"),
    "byte of words": (change_byte("tokenizer.json", 200), r"tokenizer\.json: its sha256"),
    "byte of metrics": (change_byte("metrics.json", 0), r"metrics\.json: its sha256"),
    "newer": (
        forge(lambda c: c.update(format_version=3)),
        r"config\.json: format 3 is newer than this ulmfit reads \(2\)",
    ),
    "no version": (forge(lambda c: c.pop("format_version")), r"config\.json: format_version"),
    "unknown key": (forge(lambda c: c.update(run_me="x")), r"config\.json: run_me"),
    "unknown kind": (forge(lambda c: c.update(kind="tagger")), r"config\.json: kind"),
    "huge sizes": (
        forge(lambda c: c["architecture"].update(hidden=10**9)),
        r"config\.json: architecture\.hidden",
    ),
    "large sizes": (
        forge(lambda c: c["architecture"].update(hidden=16384, layers=16)),
        r"model\.safetensors: tensor .* is missing",
    ),
    "other sizes": (
        forge(lambda c: c["architecture"].update(hidden=7)),
        r"model\.safetensors: tensor .* has shape",
    ),
    "many words": (
        forge(lambda c: c["architecture"].update(vocabulary=2_000_000)),
        r"tokenizer\.json: \d+ words, but config\.json says architecture\.vocabulary = 2000000",
    ),
    "not a number": (
        forge(lambda c: c["architecture"].update(layers="many")),
        r"config\.json: architecture\.layers",
    ),
    "one label": (forge(lambda c: c.update(id2label={"0": "a"})), r"config\.json: .*id2label"),
    "gap in labels": (
        forge(lambda c: c.update(id2label={"0": "a", "2": "b"})),
        r"config\.json: .*id2label",
    ),
    "a label twice": (
        forge(lambda c: c.update(id2label={"0": "a", "1": "a"})),
        r"config\.json: .*id2label names a label twice",
    ),
    "label too many": (
        forge(lambda c: c.update(id2label={"0": "a", "1": "b", "2": "c"})),
        r"model\.safetensors: tensor 'head\.linear2\.\w+' has shape",
    ),
    "unknown target": (
        forge(lambda c: c.update(target={"kind": "tags"})),
        r"config\.json: target\.kind",
    ),
    "a target with something more": (
        forge(lambda c: c.update(target={"run_me": 1})),
        r"config\.json: target\.run_me",
    ),
    "no temperature": (
        forge(lambda c: c.update(target={"temperature": 0})),
        r"config\.json: target\.temperature",
    ),
    "a threshold above 1": (
        forge(lambda c: c.update(target={"kind": "multi", "thresholds": [0.5, 1.5]})),
        r"config\.json: target\.thresholds\.1",
    ),
    "a threshold too few": (
        forge(lambda c: c.update(target={"kind": "multi", "thresholds": [0.5]})),
        r"target\.thresholds must hold one for each label",
    ),
    "thresholds of one label a text": (
        forge(lambda c: c.update(target={"thresholds": [0.5, 0.5]})),
        r"config\.json: target: .*belong to a multi-label target",
    ),
    "a scale of classes": (
        forge(lambda c: c.update(target={"scale": 2.0})),
        r"config\.json: target: .*belong to a real-valued target",
    ),
    "values with labels": (
        forge(lambda c: c.update(target={"kind": "real"})),
        r"config\.json: .*a real-valued target has no labels",
    ),
    "values with probabilities": (
        forge(lambda c: c.update(target={"kind": "real", "abstain_below": 0.5})),
        r"config\.json: target: .*has no probabilities",
    ),
    "ranks for classes": (
        forge(lambda c: c.update(target={"kind": "ordinal"})),
        r"model\.safetensors: tensor 'head\.linear2\.\w+' has shape",
    ),
    "no head": (forge(lambda c: c.update(head=None)), r"config\.json: .*'head'"),
    "chunk of nothing": (forge(lambda c: c["head"].update(chunk=0)), r"config\.json: head\.chunk"),
    "no direction": (forge(lambda c: c.update(directions=[])), r"config\.json: directions"),
    "a direction twice": (
        forge(lambda c: c.update(directions=["forward", "forward"])),
        r"config\.json: .*directions",
    ),
    "a direction that is not there": (
        forge(lambda c: c.update(directions=["forward", "backward"])),
        r"config\.json: 'files' does not list backward\.safetensors",
    ),
    "a hash that is none": (
        forge(lambda c: c["files"]["model.safetensors"].update(sha256="zz")),
        r"config\.json: files\.model\.safetensors\.sha256",
    ),
    "no safetensors": (
        replace_file("model.safetensors", b"\x80\x04."),
        r"model\.safetensors: not readable as safetensors",
    ),
    "no metrics within": (replace_file("metrics.json", b"{"), r"metrics\.json: not readable"),
    "metrics a list": (replace_file("metrics.json", b"[]"), r"metrics\.json: a JSON object"),
    "words that are none": (replace_file("tokenizer.json", b"{}"), r"tokenizer\.json: "),
    "tensor missing": (weights(lambda t: t.pop(BIAS)), rf"tensor '{BIAS}' is missing"),
    "tensor too many": (
        weights(lambda t: t.update(extra=torch.zeros(1))),
        "tensor 'extra' is unknown",
    ),
    "int8 without scales": (
        weights(lambda t: t.update({ROWS: t[ROWS].to(torch.int8)})),
        r"model\.safetensors: not readable as safetensors .*encoder\.embedding\.scale",
    ),
    "int8 with other scales": (
        weights(lambda t: t.update({ROWS: t[ROWS].to(torch.int8), ROWS + ".scale": torch.ones(3)})),
        r"model\.safetensors: not readable as safetensors .*not one scale for each row",
    ),
    "little that would become much": (
        weights(
            lambda t: t.update(
                {ROWS: torch.ones(1, 9, dtype=torch.int8), ROWS + ".scale": torch.ones(9)}
            )
        ),
        r"model\.safetensors: not readable as safetensors .*not one scale for each row",
    ),
    "columns without end": (
        weights(
            lambda t: t.update(
                {ROWS: torch.ones(9, 6, dtype=torch.uint8), ROWS + ".scale": torch.ones(9, 1)}
                | {ROWS + ".columns": torch.tensor([torch.inf])}
            )
        ),
        r"model\.safetensors: not readable as safetensors .*number of columns",
    ),
    "a number that is none": (
        weights(lambda t: t[ROWS][2].fill_(torch.nan)),
        rf"tensor '{ROWS}' holds what is no finite number",
    ),
    "a number without end": (
        weights(lambda t: t[BIAS].fill_(-torch.inf)),
        rf"tensor '{BIAS}' holds what is no finite number",
    ),
    "numbers of another kind": (
        weights(lambda t: t.update({ROWS: t[ROWS] > 0})),
        rf"tensor '{ROWS}' holds torch\.bool",
    ),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_bundle_is_refused_with_the_reason(
    damage: Damage, told: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    bundles.save(classifier(), folder, "")
    bundles.load(folder)
    damage(folder)
    with pytest.raises(InputError, match=told) as caught:
        bundles.load(folder)
    assert str(folder) in str(caught.value)


def test_a_model_that_is_ruined_is_not_saved(tmp_path: Path) -> None:
    made, folder = classifier(), tmp_path / "model"
    bundles.save(made, folder, "")
    made.weights["forward"][BIAS].fill_(torch.nan)
    with pytest.raises(InputError, match=rf"the forward model: tensor '{BIAS}'"):
        bundles.save(made, folder, "")
    assert names(tmp_path) == ["model"]
    bundles.load(folder)


def test_a_language_models_labels_are_checked_too(tmp_path: Path) -> None:
    bundles.save(language_model(), tmp_path / "m", "")
    forge(lambda c: c.update(id2label={"5": "x"}))(tmp_path / "m")
    with pytest.raises(InputError, match="id2label"):
        bundles.load(tmp_path / "m")


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("x")
    with pytest.raises(InputError, match="no model bundle"):
        bundles.load(tmp_path / "m")
