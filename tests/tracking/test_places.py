"""TensorBoard's files and MLflow's database, read back by their own libraries."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ulmfit.cli import main
from ulmfit.errors import InputError
from ulmfit.pipeline import train
from ulmfit.pipeline.options import TrainOptions
from ulmfit.tracking import track
from ulmfit.tracking.in_mlflow import BATCH, InMLflow, _names, lasting_uri, open_mlflow
from ulmfit.tracking.in_tensorboard import InTensorBoard, open_tensorboard
from ulmfit.training.loop import Step

from .conftest import finish

# MLflow's own use of sqlalchemy, tensorboard's of protobuf: not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")
HOSTILE = "a|b\n<script>alert(1)</script>"


@pytest.fixture
def tensorboard() -> Callable[[Path], Any]:
    """Reads a folder of event files."""
    name = "tensorboard.backend.event_processing.event_accumulator"
    reader = pytest.importorskip(name, reason="the extra [track] is not installed")

    def read(folder: Path) -> Any:
        found = reader.EventAccumulator(str(folder))
        found.Reload()
        return found

    return read


def test_tensorboard_shows_what_was_told(
    options: TrainOptions, tensorboard: Callable[[Path], Any], tmp_path: Path
) -> None:
    asked = [f"tensorboard={tmp_path / 'board'}"]
    events, _ = finish(track(train(options), asked, options.out, options))
    (folder,) = (tmp_path / "board").iterdir()
    assert folder.name.startswith("model-")
    found = tensorboard(folder)
    steps = [event for event in events if isinstance(event, Step)]
    loss = found.Scalars("classifier forward/loss")
    assert [e.step for e in loss] == list(range(1, len(loss) + 1))
    wanted = [step.loss for step in steps[-len(loss) :]]
    assert [e.value for e in loss] == pytest.approx(wanted, rel=1e-6)
    assert "classifier forward/validation accuracy" in found.Tags()["scalars"]


def test_parameters_are_shown_and_not_taken_for_markup(
    tensorboard: Callable[[Path], Any], tmp_path: Path
) -> None:
    board = open_tensorboard(str(tmp_path), "model", None)
    board.parameters({"text": HOSTILE})
    board.close(True)
    (event,) = tensorboard(Path(board.identity)).Tensors("parameters/text_summary")
    told = event.tensor_proto.string_val[0].decode()
    assert "<script>" not in told and "a\\|b" in told and len(told.splitlines()) == 3


def test_mlflows_place_is_the_same_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert lasting_uri("sqlite:///runs.db") == f"sqlite:///{tmp_path}/runs.db"
    assert lasting_uri("runs") == f"{tmp_path}/runs"
    for absolute in (f"sqlite:///{tmp_path}/a.db", "http://host:5000", "databricks"):
        assert lasting_uri(absolute) == absolute
    assert lasting_uri(None) == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    assert lasting_uri(None) == "http://host:5000"


def test_parameters_of_other_scripts_have_names_of_their_own() -> None:
    names = _names(["class_weights.好", "class_weights.坏", "class_weights._", "a b"])
    assert names == ["class_weights._", "class_weights.__2", "class_weights.__3", "a b"]


def test_tensorboard_goes_on_in_the_same_folder(
    tensorboard: Callable[[Path], Any], tmp_path: Path
) -> None:
    first = open_tensorboard(str(tmp_path), "model", None)
    first.figures({"loss": 2.0}, 1)
    first.close(False)
    second = open_tensorboard(None, "model", first.identity)
    second.figures({"loss": 1.0}, 2)
    second.close(True)
    events = tensorboard(Path(first.identity)).Scalars("loss")
    assert [(e.step, e.value) for e in events] == [(1, 2.0), (2, 1.0)]


def test_runs_of_one_name_and_moment_have_folders_of_their_own(
    tensorboard: Callable[[Path], Any], tmp_path: Path
) -> None:
    runs = [open_tensorboard(str(tmp_path), "model", None) for _ in range(3)]
    for value, run in enumerate(runs):
        run.figures({"loss": value}, 1)
        run.close(True)
    told = [tensorboard(Path(run.identity)).Scalars("loss") for run in runs]
    assert [[e.value for e in each] for each in told] == [[0], [1], [2]]


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return pytest.importorskip("mlflow", reason="the extra [track] is not installed")


def uri(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"


def test_mlflow_keeps_what_was_told(options: TrainOptions, mlflow: Any, tmp_path: Path) -> None:
    asked = [f"mlflow={uri(tmp_path)}"]
    events, bundle = finish(track(train(options), asked, options.out, options))
    client = mlflow.MlflowClient(tracking_uri=uri(tmp_path))
    experiment = client.get_experiment_by_name("ulmfit")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED" and run.info.run_name == "model"
    assert run.data.params["preset"] == "default"
    assert run.data.params["settings.classifier.batch"] == "8"
    assert run.data.metrics["test/accuracy"] == bundle.metrics["test"]["accuracy"]
    steps = [event for event in events if isinstance(event, Step)]
    loss = client.get_metric_history(run.info.run_id, "classifier forward/loss")
    wanted = [step.loss for step in steps[-len(loss) :]]
    assert [m.value for m in sorted(loss, key=lambda m: m.step)] == pytest.approx(wanted)


class Client:
    """Counts what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self.status = ""

    def log_batch(self, run: str, metrics: Any = (), params: Any = ()) -> None:
        self.sent.append((len(metrics), len(params)))

    def set_terminated(self, run: str, status: str) -> None:
        self.status = status


def test_mlflow_is_sent_many_figures_at_a_time(mlflow: Any) -> None:
    client = Client()
    run = InMLflow(client, "1")
    for step in range(BATCH - 1):
        run.figures({"loss": 1.0}, step)
    assert client.sent == []
    run.figures({"a, b": 1.0, "c": math.pi}, BATCH)
    assert client.sent == [(BATCH, 0), (1, 0)]
    run.parameters({f"p{i}": "x" * 10_000 for i in range(150)})
    assert client.sent[2:] == [(0, 100), (0, 50)]
    run.figures({"loss": 1.0}, BATCH + 1)
    run.close(False)
    assert client.sent[-1] == (1, 0) and client.status == "KILLED"


def test_mlflow_goes_on_in_the_same_run(mlflow: Any, tmp_path: Path) -> None:
    first = open_mlflow(uri(tmp_path), "model", None)
    first.figures({"loss": 2.0}, 1)
    first.close(False)
    second = open_mlflow(uri(tmp_path), "model", first.identity)
    second.figures({"loss": 1.0}, 2)
    second.close(True)
    client = mlflow.MlflowClient(tracking_uri=uri(tmp_path))
    history = client.get_metric_history(first.identity, "loss")
    assert sorted((m.step, m.value) for m in history) == [(1, 2.0), (2, 1.0)]
    assert client.get_run(first.identity).info.status == "FINISHED"


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic"])
def test_a_local_database_says_which_extra_it_wants(
    package: str, mlflow: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r"database of MLflow needs the extra \[track\]: pip"):
        open_mlflow(uri(tmp_path), "model", None)
    assert not list(tmp_path.iterdir())


def test_the_commands_take_the_option(
    options: TrainOptions,
    tensorboard: Callable[[Path], Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, lm = options.data.paths[0], str(options.lm)
    board = tmp_path / "board"
    small = ("--embedding", "16", "--hidden", "16", "--layers", "2", "--min-count", "1")
    for words in (
        ("pretrain", data, "--out", tmp_path / "a", *small),
        ("finetune", lm, data, "--out", tmp_path / "b", "--epochs", 1),
    ):
        with pytest.raises(SystemExit) as end:
            main([*map(str, words), "--workers", "1", "--track", f"tensorboard={board}", "--json"])
        out, err = capsys.readouterr()
        assert end.value.code == 0, err
        assert json.loads(out.splitlines()[-1])["kind"] == "language-model"
    assert sorted(p.name[0] for p in board.iterdir()) == ["a", "b"]
    with pytest.raises(SystemExit) as end:
        main(["train", data, "--lm", lm, "--out", str(tmp_path / "c"), "--track", "wandb"])
    assert end.value.code == 2 and "tracking with 'wandb'" in capsys.readouterr().err


def test_the_command_sends_what_has_ended(
    options: TrainOptions,
    tensorboard: Callable[[Path], Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, bundle = finish(train(options))
    board = tmp_path / "board"
    with pytest.raises(SystemExit) as end:
        main(["track", options.out, "--to", f"tensorboard={board}"])
    assert end.value.code == 0 and capsys.readouterr().out == (
        f"1 run sent to tensorboard={board}\n"
    )
    (folder,) = board.iterdir()
    (accuracy,) = tensorboard(folder).Scalars("test/accuracy")
    assert accuracy.value == pytest.approx(bundle.metrics["test"]["accuracy"])

    def fails(*_: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(InTensorBoard, "flush", fails)
    with pytest.raises(SystemExit) as end:
        main(["track", options.out, "--to", f"tensorboard={board}"])
    assert end.value.code == 1
    assert (
        f"1 of 1 runs were not sent whole: model (tensorboard={board})" in capsys.readouterr().err
    )
