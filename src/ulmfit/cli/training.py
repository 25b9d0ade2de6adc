"""The commands that make a classifier, and go on with any unfinished run: train, resume."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli import target_arguments as t
from ulmfit.cli.model_making import make_model
from ulmfit.cli.report import reported_rows
from ulmfit.cli.tracking import Track, tracked, tracked_again

if TYPE_CHECKING:
    from ulmfit.pipeline.options import TrainOptions

Lm = Annotated[
    str | None,
    typer.Option("--lm", metavar="LM", help="Language model: a folder or an embedded one."),
]
Unlabelled = Annotated[
    list[str] | None,
    typer.Option(
        "--unlabelled", metavar="PATH", help="More text for the LM, and a teacher; repeatable."
    ),
]
Test = Annotated[
    list[str] | None,
    typer.Option("--test", metavar="PATH", help="Measure on these rows too; repeatable."),
]
Labels = Annotated[
    int | None,
    typer.Option(
        "--labels",
        metavar="N",
        min=2,
        help="An experiment: use only N of the labels, balanced; the other rows are unlabelled.",
    ),
]
Finetune = Annotated[
    bool,
    typer.Option("--finetune/--no-finetune", help="Fine-tune the LM on the texts first."),
]
LmEpochs = Annotated[
    int | None,
    typer.Option("--lm-epochs", metavar="N", min=1, help="Epochs of the LM [preset default: 3]."),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        "--epochs",
        metavar="N",
        min=1,
        help="Of the last phase, in which all layers learn "
        "[preset default: 16, more below 300 rows; 2 with --teacher].",
    ),
]
Teacher = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        metavar="MODEL",
        help="Self-training: learn from this classifier's answers on texts without a label, too.",
    ),
]
PseudoLabels = Annotated[
    int | None,
    typer.Option(
        "--pseudo-labels",
        metavar="N",
        min=1,
        help="At most so many of the teacher's answers [5,000].",
    ),
]
Align = Annotated[
    bool,
    typer.Option(
        "--align",
        help="Give the teacher's answers the shares that the labels have among your rows, which "
        "were drawn at random.",
    ),
]

WithReport = Annotated[
    bool, typer.Option("--report/--no-report", help="Write report.html into the model's folder.")
]


def train(
    data: a.Data,
    out: a.Out,
    lm: Lm = None,
    unlabelled: Unlabelled = None,
    test: Test = None,
    text: a.Text = None,
    label: a.Label = None,
    separator: a.Separator = None,
    sample_weight: t.SampleWeight = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    labels: Labels = None,
    task: t.Task = None,
    order: t.Order = None,
    class_weights: t.ClassWeights = None,
    loss: t.Loss = "cross-entropy",
    focal_gamma: t.FocalGamma = 2.0,
    label_smoothing: t.LabelSmoothing = 0.0,
    calibrate: t.Calibrate = True,
    abstain_below: a.AbstainBelow = None,
    coverage: t.Coverage = None,
    teacher: Teacher = None,
    pseudo_labels: PseudoLabels = None,
    align: Align = False,
    preset: a.Preset = "default",
    settings: a.Settings = None,
    direction: a.Direction = None,
    finetune: Finetune = True,
    lm_epochs: LmEpochs = None,
    epochs: Epochs = None,
    time_budget: a.TimeBudget = None,
    device: a.Device = "auto",
    precision: a.Precision = "auto",
    workers: a.Workers = 0,
    seed: a.Seed = 0,
    report: WithReport = True,
    track: Track = None,
    overwrite: a.Overwrite = False,
    json: a.Json = False,
) -> None:
    """Train a classifier: the LM on your texts, then the labels."""
    options = train_options(locals())
    from ulmfit import pipeline

    report_on = a.machine(device) if report else None
    rows = reported_rows() if report else 0
    events = pipeline.train(options, overwrite=overwrite, report_rows=rows)
    make_model(tracked(events, track, options), out, json, report_on)


def train_options(given: Mapping[str, Any]) -> TrainOptions:
    """What the arguments of `train`, by their names, ask for."""
    from ulmfit.pipeline.options import TrainOptions

    reading = ("text", "label", "format", "skip_bad_rows", "separator", "sample_weight")
    machine = ("device", "precision", "workers", "seed")
    as_given = (
        *("out", "lm", "preset", "direction", "labels", "finetune", "lm_epochs", "epochs"),
        *("time_budget", "task", "loss", "focal_gamma", "label_smoothing"),
        *("calibrate", "abstain_below", "coverage"),
    )
    of_train = ("teacher", "pseudo_labels", "align")
    own: dict[str, Any] = {name: given[name] for name in of_train if name in given}
    return TrainOptions(
        data=a.source(given["data"], *(given[name] for name in reading)),
        machine=a.machine(*(given[name] for name in machine)),
        unlabelled=tuple(given["unlabelled"] or ()),
        test=tuple(given.get("test") or ()),
        order=tuple(given["order"] or ()),
        settings=a.settings(given["settings"]),
        class_weights=t.class_weights(given["class_weights"]),
        **{name: given[name] for name in as_given},
        **own,
    )


def resume(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Folder of the run: the model's with .run behind.")
    ],
    report: WithReport = True,
    json: a.Json = False,
) -> None:
    """Go on with an interrupted pretrain, finetune or train."""
    from ulmfit import pipeline
    from ulmfit.pipeline.runs import asked

    command, options = asked(Path(run))
    with_report = report and command == "train"
    report_on = a.machine(options.machine.device) if with_report else None
    rows = reported_rows() if with_report else 0
    events = tracked_again(pipeline.resume(Path(run), report_rows=rows), options.out)
    make_model(events, options.out, json, report_on)
