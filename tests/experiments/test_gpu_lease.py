"""The two ends of a lease's calls: what is carried, what is kept, what runs, what comes back."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from ulmfit.corpus import prepare
from ulmfit.text import build_encoder

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "experiments" / "pretrain" / "gpu"
sys.path.insert(0, str(FOLDER))

import lease  # noqa: E402
import pack  # noqa: E402
import sizes  # noqa: E402
import stow  # noqa: E402

CALLS = list(sizes.calls((FOLDER / "LEASE.md").read_text("utf8")))

BLOCKING = """
import importlib.abc, sys
class Lacking(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in allowed or top.startswith("_"):
            return None
        raise ModuleNotFoundError(f"the lent machine has no {top}", name=top)
"""


def imported(code: str, allowed: list[str]) -> subprocess.CompletedProcess[str]:
    """`code` in a process that finds Python's own modules, ours, and `allowed`."""
    ours = [path.stem for path in FOLDER.glob("*.py")] + ["ulmfit"]
    begin = f"allowed = {set(ours + allowed)!r}{BLOCKING}sys.meta_path.insert(0, Lacking())\n"
    return subprocess.run(
        [sys.executable, "-c", begin + code],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{FOLDER}"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def listed(name: str) -> list[str]:
    """Import names in a file: of what is there, of the wheels that are carried."""
    lines = (FOLDER / name).read_text().splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    return [word.partition("==")[0].replace("-", "_") for word in words]


def test_all_that_runs_there_imports_with_what_is_there_and_what_is_carried() -> None:
    """Every script, and what `ulmfit train` loads late; without the wheels it would not."""
    names = sorted(path.stem for path in FOLDER.glob("*.py"))
    code = f"import {', '.join(names)}\nimport ulmfit.cli, ulmfit.pipeline, ulmfit.presets"
    done = imported(code, [*listed("there.txt"), *listed("wheels.txt")])
    assert done.returncode == 0, done.stderr
    lacking = imported("import making", listed("there.txt"))
    assert "the lent machine has no pydantic" in lacking.stderr


def test_the_far_end_of_a_call_needs_nothing_but_python() -> None:
    done = imported("import lease, supervising, events, train", [])
    assert done.returncode == 0, done.stderr


def test_a_folder_is_stowed_in_parts_that_fit_and_comes_back(tmp_path: Path) -> None:
    source = tmp_path / "things"
    for name, size in {"a": 60, "b": 50, "deep/c": 40, "d": 1}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(bytes(size))
    parts = stow.stow(source, "x", 100, tmp_path / ".lease")
    assert parts == stow.stow(source, "x", 100, tmp_path / ".lease")
    held = [{p.name for p in part.rglob("*") if p.is_file()} for part in parts]
    assert held == [{"a", "d"}, {"b", "c"}]
    for part in parts:
        shutil.copytree(part, tmp_path / "kept", dirs_exist_ok=True)
    for path in source.rglob("*"):
        assert (tmp_path / "kept" / path.relative_to(tmp_path)).exists()
    with pytest.raises(ValueError, match="a: 60 bytes"):
        stow.stow(source, "x", 55, tmp_path / ".lease")


def test_what_a_call_sends_is_counted(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / ".gitignore").write_text("/.lease/\n")  # 9 bytes
    for name, size in {"tracked": 100, "gone": 1, "new": 1000, ".lease/x/big": 10_000}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    subprocess.run([*git, "add", "tracked", "gone"], check=True)
    (tmp_path / "gone").unlink()
    assert sizes.tree(tmp_path) == 1109
    call = sizes.Call("", "true", (".lease/x",))
    assert sizes.wrong(call, tmp_path, 11_109) == []
    most = sizes.ROOM - sizes.MARGIN
    assert sizes.wrong(call, tmp_path, most + 2_000_000) == ["2.0 MB too much"]
    missing = sizes.Call("", "x" * 2001, (".lease/y",))
    assert sizes.wrong(missing, tmp_path, most) == [
        ".lease/y is not there",
        "the command has 2001 characters",
    ]


def test_the_calls_of_the_page_are_calls() -> None:
    assert len(CALLS) > 15 and {call.part for call in CALLS} == {
        "Lease 1: en-base, both directions",
        "Lease 2: IMDb by preset v2, both directions, on en-base",
        "Lease 3: en-small for many epochs",
        "On a fresh machine",
    }
    for call in CALLS:
        assert len(call.command) <= sizes.LONGEST and call.timeout_s <= 600
        assert subprocess.run(["bash", "-n", "-c", call.command]).returncode == 0
        waits = [float(w) for w in _after(call.command, "--wait")]
        assert sum(waits) < call.timeout_s
        for path in (word for word in call.command.replace('"', " ").split() if "$GPU/" in word):
            assert (FOLDER / path.partition("$GPU/")[2].rstrip(";")).is_file()


def _after(command: str, option: str) -> list[str]:
    words = command.split()
    return [words[i + 1] for i, word in enumerate(words) if word == option]


class Machine:
    """A place that stands for the other machine: a tree, a home outside of it, $OUT."""

    def __init__(self, root: Path) -> None:
        self.tree, self.home, self.out = root / "tree", root / "home", root / "out"
        self.tree.mkdir()
        for name in (".lease", "src", "tests", "experiments/pretrain"):
            (self.tree / name).mkdir(parents=True)
        (self.tree / "experiments/pretrain/gpu").symlink_to(FOLDER)
        shutil.copyfile(ROOT / "pyproject.toml", self.tree / "pyproject.toml")

    def call(self, command: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """As the tool runs a command there: $OUT is empty before."""
        shutil.rmtree(self.out, ignore_errors=True)
        own = {"OUT": str(self.out), "ULMFIT_LEASE": str(self.home)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", command.replace("/tmp/ulmfit-lease", str(self.home))],
            cwd=self.tree,
            env={**os.environ, **own, "PATH": path},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def run(self, arguments: str) -> subprocess.CompletedProcess[str]:
        """One verb."""
        return self.call(f"python3 experiments/pretrain/gpu/lease.py {arguments}")

    def back(self) -> set[str]:
        """The files that came back."""
        return {str(p.relative_to(self.out)) for p in self.out.rglob("*") if p.is_file()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_was_carried_is_laid_over_what_was_kept(machine: Machine) -> None:
    first, then = machine.tree / ".lease/ids-0/packed", machine.tree / ".lease/ids-1/packed"
    first.mkdir(parents=True)
    (first / "000.xz").write_text("zero")
    wheel = machine.tree / ".lease/begin/wheels/thing-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("thing.py", "word = 'wheel'")
    assert machine.run("keep").returncode == 0
    shutil.rmtree(machine.tree / ".lease/ids-0")  # not carried any more: removed there
    then.mkdir(parents=True)
    (then / "001.xz").write_text("one")
    told = machine.run("keep")
    assert "packed: 000.xz, 001.xz" in told.stdout, told.stderr
    done = machine.run(
        "run see --wait 10 --do 'cat kept/packed/*; python3 -c \"import thing; print(thing.word)\"'"
    )
    assert done.returncode == 0 and "zeroonewheel" in done.stdout


def test_a_job_outlives_its_call_and_is_not_begun_twice(machine: Machine) -> None:
    command = "'echo begun >> count; echo hello; sleep 1.5; echo bye; date > result'"
    first = machine.run(f"run job --wait 0.5 --back result --do {command}")
    assert first.returncode == lease.RUNNING and "hello" in first.stdout
    assert "left out: result" in first.stdout and machine.back() == {"job.log"}
    second = machine.run(f"run job --wait 10 --back result --do {command}")
    assert second.returncode == 0 and "bye" in second.stdout and "hello" not in second.stdout
    assert machine.back() == {"job.log", "result"}
    again = machine.run("run job --wait 10 --back result")
    assert again.returncode == 0 and machine.back() == {"job.log", "result"}
    assert (machine.home / "count").read_text() == "begun\n"


def test_a_job_that_failed_or_was_killed_is_begun_again(machine: Machine) -> None:
    command = "'echo x >> tries; [ $(wc -l < tries) -eq 3 ] || exit 7'"
    assert machine.run(f"run job --wait 10 --do {command}").returncode == 7
    assert machine.run("run job --wait 10").returncode == 7, "only looked at"
    assert machine.run(f"run job --wait 10 --do {command}").returncode == 7
    assert machine.run(f"run job --wait 10 --do {command}").returncode == 0
    assert machine.run("run other --wait 0 --do 'sleep 60'").returncode == lease.RUNNING
    assert machine.run("stop other").returncode == 0
    while (done := machine.run("run other")).returncode == lease.RUNNING:
        time.sleep(0.1)
    assert done.returncode == 1
    assert machine.run("run other --wait 5 --do true").returncode == 0


def test_a_job_has_our_code_as_if_it_were_installed(machine: Machine) -> None:
    (machine.tree / "src" / "ulmfit.py").write_text("word = 'ours'")
    ask = "import ulmfit, importlib.metadata as m; print(ulmfit.word, m.version('ulmfit'))"
    command = shlex.quote(f"ls $GPU/train.py; cd $CODE; python3 -c {shlex.quote(ask)}")
    done = machine.run(f"run job --wait 20 --do {command}")
    assert done.returncode == 0 and "ours 0." in done.stdout, done.stdout


def test_no_more_comes_back_than_may(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "forward-pieces", tmp_path / "out"
    folder.mkdir()
    named = [f"weights.b.{i:03}" for i in range(4)]
    for name in [*named, "weights.a.000"]:  # of a write that was killed
        (folder / name).write_bytes(bytes(10))
    (folder / "state.json").write_text(json.dumps({"pieces": named}))
    for i in range(5):
        (tmp_path / f"file{i}").write_bytes(bytes(i))
    with open(tmp_path / "huge", "wb") as huge:
        huge.truncate(lease.FILE + 1)
    lease.bring([tmp_path / "huge", folder, *(tmp_path / f"file{i}" for i in range(5))], out)
    back = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    pieces = {f"forward-pieces/{name}" for name in [*named, "state.json"]}
    assert back == pieces | {"file0", "file1", "file2"} and len(back) == lease.FILES
    told = capsys.readouterr().out
    assert "left out: huge" in told and "left out: file3" in told


SMALL = "--embedding 8 --hidden 8 --layers 2 --device cpu"
TIMED = f"--seconds 24 --reserve 4 --precision fp32 {SMALL}"
SMALLER = {
    "--batch 128": "--batch 4",
    "--batch 256": "--batch 4",
    "--seconds 60 --reserve 10": TIMED,
    "--seconds 555": TIMED,
    "bench.py trial": f"bench.py trial {SMALL} --batches 4 8 --matrix 64",
    "profile_step.py trial": f"profile_step.py trial {SMALL}",
    "tests/model tests/training": "--collect-only tests/training",
    "--device cuda": "--device cpu",
    "--time-budget 2.5": "--time-budget 0.5",
}


@pytest.mark.slow
def test_the_first_lease_on_a_cpu(machine: Machine, texts: list[str], tmp_path: Path) -> None:
    """Every call of it as the page has it, but for sizes and seconds: a thousandth of the data."""
    shutil.rmtree(machine.tree / "src")
    (machine.tree / "src").symlink_to(ROOT / "src")
    _prepare(machine.tree / ".lease", texts, tmp_path)
    came_back: set[str] = set()
    for call in (call for call in CALLS if call.part.startswith("Lease 1")):
        command = call.command
        for whole, part in SMALLER.items():
            command = command.replace(whole, part)
        done = machine.call(command, 200)
        assert done.returncode in (0, lease.RUNNING), done.stdout[-3000:] + done.stderr
        came_back |= machine.back()
        if "train.py" in command:
            assert '"event": "end"' in done.stdout and '"failed"' not in done.stdout
    directions = ("forward", "backward")
    wanted = {f"{d}{rest}" for d in directions for rest in (".log", "-pieces/state.json")}
    assert wanted | {"speed.jsonl", "profile.txt", "tests.log", "metrics.json"} < came_back
    assert (machine.home / "choice").read_text().startswith("--batch ")
    metrics = json.loads((machine.home / "trec" / "metrics.json").read_text())
    assert set(metrics) > {*directions, "test"}
    lm = json.loads((machine.home / "en-base" / "config.json").read_text())
    assert tuple(lm["provenance"]["directions"]) == directions


def _prepare(place: Path, texts: list[str], tmp_path: Path) -> None:
    """What prepare.sh makes, of a few texts; the corpus in four parts."""
    run, packed, test = tmp_path / "run", tmp_path / "packed", tmp_path / "wiki.test.tokens"
    run.mkdir()
    many = [text for text in texts for _ in range(40)]
    encoder = build_encoder(lambda: iter(many), min_count=1)
    encoder.save(run / "tokenizer.json")
    test.write_text("".join(f" {text} \n" for text in texts))
    pack.encode_test(test, run, pack.beside(packed, "test"))
    corpus = prepare(many, encoder, run / "corpus")
    pack.pack(corpus, run / "tokenizer.json", packed, 30_000_000, test)
    shutil.copytree(packed, place / "begin" / "trial")
    for number in (1, 2):
        (place / f"ids-{number}").mkdir()
    for number, name in ((0, "000.xz"), (3, "manifest.json"), (3, "small.xz")):
        (place / f"ids-{number}" / "packed").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packed / name, place / f"ids-{number}" / "packed" / name)
    trec = place / "trec-0" / "trec"
    trec.mkdir(parents=True)
    rows = [f"{'ABBR' if i % 2 else 'DESC'}:exp {text}\n" for i, text in enumerate(texts)]
    (trec / "train_5500.label").write_text("".join(rows), "latin-1")
    (trec / "TREC_10.label").write_text("".join(rows[:10]), "latin-1")
