"""A reader of the documentation: a folder with small files, and a shell in it."""

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from forking import CLIENT

import ulmfit
from ulmfit.demo import load_messages
from ulmfit.training.loop import Step

HERE = Path(__file__).parent


class Shell:
    """Shell blocks whose `ulmfit` is a fork of a `forking.py`.

    Args:
        folder: for the script `ulmfit`.
        embedded: of tiny language models; without it, those of the package.
    """

    def __init__(self, folder: Path, embedded: Path | None = None) -> None:
        address = str(folder / "s")
        path = [str(folder), str(Path(sys.executable).parent), os.environ["PATH"]]
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join(path),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "80",
        }
        command = [sys.executable, str(HERE / "forking.py"), address]
        command += [str(embedded)] if embedded else []
        self._server = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=self._environment
        )
        client = folder / "ulmfit"
        client.write_text(CLIENT.format(python=sys.executable, address=address))
        client.chmod(0o755)

    def wait(self) -> None:
        """Until calls can be answered."""
        assert self._server.stdout and self._server.stdout.readline() == "ready\n"

    def close(self) -> None:
        """No more calls."""
        self._server.terminate()
        self._server.communicate()

    def run(self, block: str, folder: Path) -> tuple[int, str]:
        """(exit code, what a terminal would show) of a block in `folder`."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block],
            cwd=folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )
        return done.returncode, done.stdout


def write_files(folder: Path) -> None:
    """The files of which the pages speak, small."""
    known, held_out = load_messages()
    table(folder / "reviews.csv", ("text", "label"), reviews(60, 0))
    table(folder / "held-out.csv", ("text", "label"), reviews(20, 1))
    table(folder / "new.csv", ("id", "text"), [(i, t) for i, (t, _) in enumerate(reviews(10, 2))])
    table(folder / "unlabelled.csv", ("text",), [(text,) for text, _ in reviews(40, 3)])
    (folder / "texts").mkdir()
    for number, (text, _) in enumerate(reviews(30, 4)):
        (folder / "texts" / f"{number}.txt").write_text(text)
    write_tickets(folder)
    write_questions(folder / "data" / "trec")
    write_films(folder / "data" / "imdb")
    (folder / "shop").mkdir()
    for name, part in {"train.csv": known, "test.csv": held_out}.items():
        pairs = list(zip(part.texts, part.labels, strict=True))[:90]
        table(folder / "shop" / name, ("text", "label"), pairs)


def write_tickets(folder: Path) -> None:
    """Texts with several labels, with a rank, and with a number."""
    draw = random.Random(5)
    of_each = {"billing": "I was charged twice.", "delivery": "It came late.", "angry": "Shameful!"}
    lists, marks, stars, hours = [], [], [], []
    for number in range(60):
        has = [int(draw.random() < 0.5) for _ in of_each]
        told = [text for text, there in zip(of_each.values(), has, strict=True) if there]
        text = " ".join([f"About order {number}.", *told])
        names = [name for name, there in zip(of_each, has, strict=True) if there]
        lists.append((text, "|".join(names)) if names else (text, "other"))
        marks.append((text, *has))
        stars.append((text, 5 - sum(has), 1 + has[2]))
        hours.append((text, round(0.5 + 2 * sum(has) + draw.random(), 2)))
    table(folder / "tickets.csv", ("text", "labels"), lists)
    table(folder / "marks.csv", ("text", *of_each), marks)
    table(folder / "stars.csv", ("text", "stars", "votes"), stars)
    table(folder / "hours.csv", ("text", "hours"), hours)


def write_films(folder: Path) -> None:
    """Reviews as `ulmfit data imdb` leaves them, those without a label among them."""
    for part, seed in {"train": 6, "test": 7}.items():
        for number, (text, label) in enumerate(reviews(560 if part == "train" else 20, seed)):
            kind = "unsup" if part == "train" and number >= 520 else label
            path = folder / "aclImdb" / part / kind / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf8")
    write_lock(folder, "imdb")


def write_lock(folder: Path, name: str) -> None:
    """What says that the data set was fetched."""
    held = {"version": 1, "dataset": name, "sha256": {}}
    (folder / "fetched.json").write_text(json.dumps(held))


def write_questions(folder: Path) -> None:
    """Some questions as `ulmfit data trec` leaves them."""
    folder.mkdir(parents=True)
    asked = {
        "NUM:date": "When was the {} built ?",
        "NUM:count": "How many rooms has the {} ?",
        "LOC:city": "What city has the oldest {} ?",
        "LOC:country": "What country has the tallest {} ?",
        "HUM:ind": "Who designed the {} ?",
        "HUM:gr": "What company owns the {} ?",
    }
    things = ("bridge", "tower", "harbour", "opera", "stadium", "observatory", "castle", "dam")
    lines = [
        f"{kind} {text.format(t)}\n"
        for t in things + tuple(f"new {t}" for t in things)
        for kind, text in asked.items()
    ]
    for name, part in {"train_5500.label": lines, "TREC_10.label": lines[::3]}.items():
        (folder / name).write_text("".join(part), "iso-8859-1")
    write_lock(folder, "trec")


def break_off(out: str) -> None:
    """Leave an unfinished run on the reviews of this folder that is to make `out`."""
    options = ulmfit.TrainOptions(ulmfit.Source(("reviews.csv",)), out, finetune=False)
    events = ulmfit.train(options)
    while not isinstance(next(events), Step):
        pass
    events.close()


def table(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A CSV file."""
    with path.open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def reviews(count: int, seed: int) -> list[tuple[str, str]]:
    """Short reviews, good and bad in turn: (text, label)."""
    draw = random.Random(seed)
    kinds = {
        "pos": ("great", "lovely", "warm", "funny", "moving", "fine"),
        "neg": ("awful", "dull", "slow", "empty", "silly", "cold"),
    }
    towns = ("Oslo", "Lima", "Cairo", "Kyoto", "Turin", "Quito", "Leeds", "Accra", "Perth", "Graz")
    made = []
    for number in range(count):
        label = ("pos", "neg")[number % 2]
        first, second, third = draw.sample(kinds[label], 3)
        text = f"A {first} film, seen in {draw.choice(towns)} on day {draw.randrange(1000)}."
        made.append((f"{text} It was {second}, and a {third} one at the end.", label))
    return made
