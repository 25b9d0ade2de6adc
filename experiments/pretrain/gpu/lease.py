"""One call of a lease: keep what was carried, run a job that outlives calls, bring files back.

    python3 experiments/pretrain/gpu/lease.py keep
    python3 experiments/pretrain/gpu/lease.py run bench --wait 60 --back speed.jsonl --do 'COMMAND'

LEASE.md has the calls. This runs on the machine with the GPU, in the root of the copy of the
repository, with Python's own library alone. All that is to last is kept outside that copy, in
/tmp/ulmfit-lease: `kept/` (the folders `.lease/*` that were carried, laid over each other),
`site/` (the wheels among them, unpacked), and what jobs write, whose working folder it is.

A job is a process of its own session, which the end of a call does not end. `run` starts it,
unless it is running or has ended well, waits, prints what is new in its output, and copies its
log and what `--back` names to $OUT. So a call that broke off is simply made again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

HOME = Path(os.environ.get("ULMFIT_LEASE", "/tmp/ulmfit-lease"))
CODE = ("src", "tests", "experiments/pretrain/gpu", "pyproject.toml")
FILES, FILE, ALL = 8, 16 << 20, 64 << 20  # what may come back: files, bytes of one, of all
RUNNING = 75  # exit code: the job goes on
STATE = "state.json"


def main() -> int:
    """Keep, run or stop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("keep", help="what was carried")
    run = verbs.add_parser("run", help="a job")
    run.add_argument("name")
    run.add_argument("--wait", type=float, default=0.0, metavar="SECONDS")
    run.add_argument("--back", nargs="+", default=[], metavar="PATH")
    run.add_argument("--do", metavar="COMMAND", help="none: of a job that was started before")
    stop = verbs.add_parser("stop", help="a job, if it runs")
    stop.add_argument("name")
    asked = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    if asked.verb == "keep":
        keep(Path.cwd())
        return 0
    job = Job(asked.name)
    if asked.verb == "stop":
        job.stop()
        return 0
    if asked.do and not job.runs() and job.code() != 0:
        job.start(asked.do, environment(code(Path.cwd())))
    ended = job.follow(asked.wait)
    out = Path(os.environ.get("OUT", HOME / "back"))
    bring([job.log, *(HOME / path for path in asked.back)], out)
    print(f"{asked.name}: {'runs' if ended is None else f'ended with {ended}'}{_age()}")
    return RUNNING if ended is None else ended


def keep(root: Path) -> None:
    """Lay what was carried over what was carried before, and unpack new wheels."""
    for folder in sorted((root / ".lease").iterdir()):
        shutil.copytree(folder, HOME / "kept", dirs_exist_ok=True)
    for wheel in sorted((HOME / "kept" / "wheels").glob("*.whl")):
        zipfile.ZipFile(wheel).extractall(HOME / "site")
    for folder in sorted((HOME / "kept").iterdir()):
        print(f"{folder.name}: {', '.join(sorted(p.name for p in folder.iterdir()))}")
    if shutil.which("nvidia-smi"):
        query = "--query-gpu=name,driver_version,memory.used,utilization.gpu"
        subprocess.run(["nvidia-smi", query, "--format=csv,noheader"])
    print(f"kept{_age()}", flush=True)


def _age() -> str:
    """Seconds since the first call on this machine."""
    mark = HOME / "first"
    if not mark.exists():
        mark.touch()
    return f"; {time.time() - mark.stat().st_mtime:.0f} s since the first call here"


def code(root: Path) -> Path:
    """A copy of the code as it is now, so that a later call cannot change it under a job."""
    number = 0
    while (folder := HOME / f"code-{number}").exists():
        number += 1
    for name in CODE:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(root / name, target)
    version = tomllib.loads((folder / "pyproject.toml").read_text("utf8"))["project"]["version"]
    told = folder / "src" / f"ulmfit-{version}.dist-info" / "METADATA"  # as if it were installed
    told.parent.mkdir()
    told.write_text(f"Metadata-Version: 2.1\nName: ulmfit\nVersion: {version}\n")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Of a job: where the code is, and what it imports."""
    return {
        **os.environ,
        "CODE": str(folder),
        "GPU": str(folder / "experiments/pretrain/gpu"),
        "PYTHONPATH": f"{folder / 'src'}:{HOME / 'site'}",
        "PYTHONUNBUFFERED": "1",
    }


class Job:
    """A command with its log, its process and its exit code, by a name."""

    def __init__(self, name: str) -> None:
        folder = HOME / "jobs"
        folder.mkdir(exist_ok=True)
        self.log = folder / f"{name}.log"
        self._process, self._code = folder / f"{name}.pid", folder / f"{name}.code"
        self._told = folder / f"{name}.told"

    def start(self, command: str, environment: dict[str, str]) -> None:
        """Begin; the log of an earlier try is added to."""
        self._code.unlink(missing_ok=True)
        whole = (
            f'( {command} ); echo $? > "{self._code}.part"; mv "{self._code}.part" "{self._code}"'
        )
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", whole],
                cwd=HOME,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._process.write_text(str(process.pid))

    def runs(self) -> bool:
        """Whether it was started and has not ended, by itself or by a kill."""
        if self._code.exists() or not self._process.exists():
            return False
        try:
            status = Path(f"/proc/{self._process.read_text()}/stat").read_text()
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] != "Z"

    def stop(self) -> None:
        """End it and all that it started."""
        if self.runs():
            os.killpg(int(self._process.read_text()), signal.SIGKILL)

    def code(self) -> int | None:
        """Its exit code; None: it has none (yet)."""
        return int(self._code.read_text()) if self._code.exists() else None

    def follow(self, seconds: float) -> int | None:
        """Print what is new in its output until it ends, or so long; its exit code."""
        until = time.monotonic() + seconds
        while True:
            running = self.runs()
            self._tell()
            if not running or time.monotonic() >= until:
                break
            time.sleep(0.2)
        return None if running else self.code() if self._code.exists() else 1

    def _tell(self) -> None:
        begin = int(self._told.read_text()) if self._told.exists() else 0
        self.log.touch()
        with open(self.log, "rb") as log:
            log.seek(begin)
            new = log.read()
        if new:
            sys.stdout.write(new.decode("utf8", "replace"))
            sys.stdout.flush()
            self._told.write_text(str(begin + len(new)))


def bring(paths: list[Path], out: Path) -> None:
    """Copy files and folders to `out`, as far as may come back; what is left out is told."""
    out.mkdir(parents=True, exist_ok=True)
    there = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    count, total = len(there), sum(there)
    for path, name in ((p, n) for each in paths for p, n in _files(each)):
        size = path.stat().st_size if path.exists() else -1
        if size < 0 or size > FILE or total + size > ALL or count == FILES:
            why = "is not there" if size < 0 else f"{size} bytes: no room for it"
            print(f"left out: {name} ({why})")
            continue
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / name)
        count, total = count + 1, total + size


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """(file, its name in $OUT): of pieces, those that state.json names, and it last."""
    if not path.is_dir():
        yield path, path.name
        return
    names = sorted(each.name for each in path.iterdir() if each.is_file())
    if STATE in names:
        names = [*json.loads((path / STATE).read_text("utf8"))["pieces"], STATE]
    for name in names:
        yield path / name, f"{path.name}/{name}"


if __name__ == "__main__":
    sys.exit(main())
