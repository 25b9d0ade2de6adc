"""The folder of a run and what stands where its model goes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline import inputs, pretrain, resume, runs, train
from ulmfit.pipeline.locking import LOCK, alone
from ulmfit.pipeline.options import Options, PretrainOptions, Source, TrainOptions
from ulmfit.pipeline.runs import begin, opened, run_folder
from ulmfit.pipeline.sessions import ended, session

from .conftest import MACHINE, finish


def test_a_resumed_run_replaces_no_folder_but_a_model(data: Path, lm: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    options = TrainOptions(Source((str(data),)), str(out), MACHINE, str(lm))
    folder = begin("train", options, overwrite=False, resuming=False)
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is no model, so the run does not replace it"):
        begin("train", options, overwrite=False, resuming=True)
    (out / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="is no model, so the run does not replace it"):
        begin("train", options, overwrite=False, resuming=True)
    ours = '{"format_version": 1, "kind": "classifier", "architecture": {}}'
    (out / "config.json").write_text(ours)  # a process killed between its model and its end
    assert begin("train", options, overwrite=False, resuming=True) == folder


def test_two_processes_do_not_work_on_one_run(data: Path, tmp_path: Path) -> None:
    corpus = Source((str(data),))
    options = PretrainOptions(corpus, str(tmp_path / "lm"), MACHINE, embedding=8, hidden=8)
    first = pretrain(options)
    next(first)
    folder = run_folder(options.out)
    before = (folder / "run.json").read_bytes()
    for again in (pretrain(options, overwrite=True), resume(folder)):
        with pytest.raises(InputError, match="another process is at work in it"):
            next(again)
    assert (folder / "run.json").read_bytes() == before
    first.close()  # as an interrupt does
    finish(resume(folder))
    assert not folder.exists() and (tmp_path / "lm" / "config.json").exists()


def test_a_killed_process_holds_no_run(data: Path, tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from ulmfit import pretrain\n"
        "from ulmfit.pipeline.options import Machine, PretrainOptions, Source\n"
        "machine = Machine('cpu', 'fp32', workers=1)\n"
        "corpus = Source((sys.argv[1],))\n"
        "options = PretrainOptions(corpus, sys.argv[2], machine, embedding=8, hidden=8, epochs=1)\n"
        "next(pretrain(options))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    out = tmp_path / "lm"
    done = subprocess.run([sys.executable, "-c", script, str(data), str(out)])
    assert done.returncode == -signal.SIGKILL
    finish(resume(run_folder(str(out))))
    assert (out / "config.json").exists()


@pytest.mark.parametrize("out", [".", "/", "", "./"])
def test_a_model_needs_a_name(out: str) -> None:
    with pytest.raises(InputError, match="--out"):
        run_folder(out)


def test_the_time_in_which_a_run_lay_dead_is_not_its_own(tmp_path: Path) -> None:
    began = time.time() - 5 * 3600
    for name in ("run.json", "forward/checkpoint.safetensors"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
        os.utime(path, (began + 600, began + 600))
    last = session(MACHINE)
    last["at"] = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(began))
    with alone(tmp_path):
        assert (tmp_path / LOCK).stat().st_mtime > began + 3600
        assert ended(last, tmp_path)["seconds"] == pytest.approx(600, abs=2)


@pytest.fixture
def options(data: Path, lm: Path, tmp_path: Path) -> TrainOptions:
    """The first labels and the last texts of `data` are at work."""
    source = Source((str(data),))
    return TrainOptions(source, str(tmp_path / "model"), MACHINE, str(lm), lm_epochs=1, epochs=1)


@pytest.mark.parametrize("resuming", [False, True])
def test_the_lock_is_held_from_before_a_run_is_begun(
    resuming: bool, options: TrainOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run_folder(options.out)
    if resuming:
        begin("train", options, overwrite=False, resuming=False)

    def with_another_process(command: str, options: Options, sizes: Any, **how: bool) -> Path:
        with pytest.raises(InputError, match="another process is at work in it"), alone(folder):
            pass
        return begin(command, options, sizes, **how)

    monkeypatch.setattr(runs, "begin", with_another_process)
    with (
        pytest.raises(InputError, match="found on the way"),
        opened("train", options, overwrite=False, resuming=resuming),
    ):
        assert (folder / "run.json").exists()
        raise InputError("found on the way")
    assert folder.exists() == resuming


def test_overwriting_a_run_keeps_its_lock(options: TrainOptions) -> None:
    folder = begin("train", options, overwrite=False, resuming=False)
    (folder / "forward").mkdir()
    (folder / "forward" / "checkpoint.safetensors").write_text("old")
    with alone(folder):
        lock = (folder / LOCK).stat().st_ino
        begin("train", options, overwrite=True, resuming=False)
        assert (folder / LOCK).stat().st_ino == lock and not (folder / "forward").exists()


def refused(options: TrainOptions, told: str, *, resuming: bool = False) -> None:
    run = opened("train", options, overwrite=False, resuming=resuming)
    with pytest.raises(InputError, match=told), run:
        pass


def test_what_is_refused_leaves_no_folder_and_takes_none_away(options: TrainOptions) -> None:
    out = Path(options.out)
    out.mkdir()
    refused(options, "exists already")
    refused(options, "is no model", resuming=True)
    out.rmdir()
    refused(options, "no unfinished run", resuming=True)
    assert not run_folder(options.out).exists()
    folder = begin("train", options, overwrite=False, resuming=False)
    refused(options, "an unfinished run is here")
    assert (folder / "run.json").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_lies_where_the_run_would_be_stays(overwrite: bool, options: TrainOptions) -> None:
    folder = run_folder(options.out)
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    run = opened("train", options, overwrite=overwrite, resuming=False)
    with pytest.raises(InputError, match="exists and is no run"), run:
        pass
    assert [p.name for p in folder.iterdir()] == ["thesis.txt"]


def test_the_lock_of_a_folder_that_was_made_for_it_goes_with_it(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for folder in (mine, tmp_path / "new"):
        with alone(folder):
            assert folder.is_dir()
    assert mine.is_dir() and not (tmp_path / "new").exists()


def _other_text(path: Path) -> None:
    """As long as it was, the labels as they were."""
    path.write_bytes(path.read_bytes().replace(b" the ", b" its ", 1))


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"one more text,\r\n")


@pytest.mark.parametrize(
    ("change", "told"), [(_other_text, "as many bytes, but others"), (_longer, "bytes: ")]
)
def test_a_run_goes_on_with_its_own_texts_alone(
    change: Callable[[Path], None], told: str, options: TrainOptions, data: Path
) -> None:
    folder = begin("train", options, overwrite=False, resuming=False)
    asked, whole = (folder / "run.json").read_bytes(), data.read_bytes()
    change(data)
    assert data.read_bytes() != whole
    with pytest.raises(InputError, match=rf"reviews\.csv: not what it was \({told}.*--overwrite"):
        begin("train", options, overwrite=False, resuming=True)
    assert (folder / "run.json").read_bytes() == asked
    data.write_bytes(whole)  # put back
    assert begin("train", options, overwrite=False, resuming=True) == folder


def test_a_run_knows_its_language_model_and_its_test_rows_again(
    options: TrainOptions, data: Path, tmp_path: Path
) -> None:
    test, lm = tmp_path / "test.csv", tmp_path / "own-lm"
    test.write_bytes(data.read_bytes())
    lm.mkdir()
    (lm / "config.json").write_text("{}")
    options = replace(options, test=(str(test),), lm=str(lm))
    for path in (test, lm / "config.json"):
        folder = begin("train", options, overwrite=True, resuming=False)
        path.write_text(path.read_text() + " ")
        name = path.name if path == test else lm.name
        with pytest.raises(InputError, match=f"{name}: not what it was"):
            begin("train", options, overwrite=False, resuming=True)
    told = json.loads((folder / "run.json").read_text())
    del told["inputs"]  # of an earlier version
    (folder / "run.json").write_text(json.dumps(told))
    begin("train", options, overwrite=False, resuming=True)


def test_old_files_are_not_hashed_again(
    options: TrainOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = inputs.inputs(options)
    hashed: list[Path] = []
    described = inputs.described

    def noted(role: str, path: Path, format: str | None) -> inputs.Input:
        hashed.append(path)
        return described(role, path, format)

    monkeypatch.setattr(inputs, "described", noted)
    assert not inputs.changed(options, told, time.time() + 2 * inputs.CLOCKS) and not hashed
    assert not inputs.changed(options, told, time.time()) and len(hashed) == 2


def folder_of(kind: str, folder: Path, texts: list[str]) -> Source:
    """A folder of this kind, in which something stands that is not read."""
    folder.mkdir()
    (folder / "train.log").write_text("begun\n")
    (folder / ".hidden.csv").write_text("x\n")
    if kind == "table":
        rows = "".join(f"{text},{'ab'[i % 2]}\n" for i, text in enumerate(texts))
        (folder / "reviews.csv").write_text(f"text,label\n{rows}")
    else:
        for i, text in enumerate(texts):
            place = folder / "ab"[i % 2] / f"{i}.txt"
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
    return Source((str(folder),))


@pytest.mark.parametrize("kind", ["table", "class folders"])
def test_a_folder_is_known_again_by_what_is_read_of_it(
    kind: str, lm: Path, texts: list[str], tmp_path: Path
) -> None:
    """The model and its run stand in it too, and a log that grows."""
    folder = tmp_path / "data"
    source = folder_of(kind, folder, texts)
    options = TrainOptions(
        *(source, str(folder / "model"), MACHINE, str(lm)),
        direction="forward",
        finetune=False,
        epochs=1,
    )
    run = run_folder(options.out)
    events = train(options)
    next(events)
    events.close()
    with open(folder / "train.log", "a") as log:
        log.write("interrupted\n")
    finish(resume(run))
    assert (folder / "model" / "config.json").exists() and not run.exists()
    begin("train", options, overwrite=True, resuming=False)
    read = next(path for path in sorted(folder.rglob("*.*")) if path.suffix in (".csv", ".txt"))
    read = folder / "reviews.csv" if kind == "table" else read
    read.rename(read.with_name("other" + read.suffix))
    with pytest.raises(InputError, match="data: not what it was"):
        begin("train", options, overwrite=False, resuming=True)


def test_a_corpus_of_a_pretraining_is_compared_too(data: Path, tmp_path: Path) -> None:
    options: Options = PretrainOptions(Source((str(data),)), str(tmp_path / "lm"), MACHINE)
    begin("pretrain", options, overwrite=False, resuming=False)
    _longer(data)
    with pytest.raises(InputError, match=r"reviews\.csv: not what it was"):
        begin("pretrain", options, overwrite=False, resuming=True)
