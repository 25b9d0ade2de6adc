"""The folder of a run and what stands where its model goes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline import pretrain, resume
from ulmfit.pipeline.options import PretrainOptions, Source, TrainOptions
from ulmfit.pipeline.runs import begin, run_folder

from .conftest import MACHINE, finish


def test_a_resumed_run_replaces_no_folder_but_a_model(data: Path, lm: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    options = TrainOptions(Source((str(data),)), str(out), MACHINE, str(lm))
    folder = begin("train", options, overwrite=False, resuming=False)
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is no model, so the run does not replace it"):
        begin("train", options, overwrite=False, resuming=True)
    (out / "config.json").write_text("{}")  # a process killed between its model and its end
    assert begin("train", options, overwrite=False, resuming=True) == folder


def test_two_processes_do_not_work_on_one_run(data: Path, tmp_path: Path) -> None:
    corpus = Source((str(data),))
    options = PretrainOptions(corpus, str(tmp_path / "lm"), MACHINE, embedding=8, hidden=8)
    first = pretrain(options)
    next(first)
    folder = run_folder(options.out)
    before = (folder / "run.json").read_bytes()
    for again in (pretrain(options, overwrite=True), resume(folder)):
        with pytest.raises(InputError, match="another process is at work on this run"):
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
