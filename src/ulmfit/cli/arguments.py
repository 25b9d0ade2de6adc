"""The arguments that several commands share: how each is called, and its one line of help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from ulmfit.pipeline.options import Machine, Source

DirectionName = Literal["forward", "backward", "both"]
OneDirection = Literal["forward", "backward"]
PrecisionName = Literal["auto", "fp32", "bf16"]
AnswerPrecisionName = Literal["auto", "fp32", "bf16", "int8"]

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of the output.")
]
Out = Annotated[
    str, typer.Option("--out", "-o", metavar="FOLDER", help="Write the model to this folder.")
]
Table = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="A .csv, .tsv, .jsonl or .parquet file; -: CSV on stdout.",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the model or the unfinished run that is there.")
]
Corpus = Annotated[list[str], typer.Argument(metavar="CORPUS", help="Files or folders of text.")]
Data = Annotated[
    list[str], typer.Argument(metavar="DATA", help="Files or folders of labelled texts.")
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="Folder of a classifier.")]
LanguageModel = Annotated[
    str,
    typer.Argument(metavar="LM", help="Folder of a language model, or a name of `ulmfit models`."),
]

Text = Annotated[
    list[str] | None,
    typer.Option("--text", metavar="COLUMN", help="Column with the text; repeat to join several."),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="COLUMN", help="Column with the label; repeat for columns of 0 and 1."
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        "--separator", metavar="MARK", help="Between several labels that stand in one column."
    ),
]
AbstainBelow = Annotated[
    float | None,
    typer.Option(
        "--abstain-below",
        metavar="P",
        min=0,
        max=1,
        help="Abstain below this confidence; 0: answer everything.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="csv, tsv, tsv-unquoted, zhang-csv, jsonl, parquet, arrow, class-folders, trec, "
        "fasttext, lines, text or tokens, where the file's name does not tell.",
    ),
]
SkipBadRows = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows", help="Leave out rows that cannot be read, instead of stopping."
    ),
]

Preset = Annotated[
    str,
    typer.Option(
        "--preset", metavar="NAME", help="default, v1, v2 (the papers) or scripts (their code)."
    ),
]
Settings = Annotated[
    str | None,
    typer.Option(
        "--settings", metavar="FILE", help="JSON of values over the preset's; or the JSON itself."
    ),
]
Direction = Annotated[
    DirectionName | None,
    typer.Option("--direction", help="Which models to train; without it, all that the LM has."),
]
TimeBudget = Annotated[
    float | None,
    typer.Option(
        "--time-budget",
        metavar="MINUTES",
        min=0.01,
        help="Of the whole command; epochs are cut to end in time.",
    ),
]
Device = Annotated[
    str,
    typer.Option("--device", metavar="NAME", help="auto (CUDA if it is there), cpu, cuda, cuda:1."),
]
Precision = Annotated[
    PrecisionName,
    typer.Option("--precision", help="auto: bf16 where it is fast and right here, else fp32."),
]
AnswerPrecision = Annotated[
    AnswerPrecisionName,
    typer.Option("--precision", help="auto: int8 where training found it to answer alike."),
]
ExactPrecision = Annotated[
    PrecisionName,
    typer.Option("--precision", help="auto: fp32, the same in any batch."),
]
Workers = Annotated[
    int,
    typer.Option("--workers", metavar="N", min=0, help="Processes that tokenise; 0: one a core."),
]
Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", min=0, max=2**32 - 1, help="Seed of everything random."),
]


def source(
    paths: list[str],
    text: list[str] | None = None,
    label: list[str] | str | None = None,
    format: str | None = None,
    skip_bad_rows: bool = False,
    separator: str | None = None,
    sample_weight: str | None = None,
) -> Source:
    """The files of a call and how to read them."""
    from ulmfit.pipeline.options import Source

    if isinstance(label, list):
        columns = tuple(label) if len(label) > 1 else next(iter(label), None)
    else:
        columns = label
    return Source(
        tuple(paths),
        tuple(text or ()),
        columns,
        format,
        skip_bad_rows,
        separator,
        sample_weight,
    )


def settings(given: str | None) -> dict[str, Any] | None:
    """The values of `--settings`."""
    from ulmfit.settings import read_settings

    return None if given is None else read_settings(given)


def machine(
    device: str = "auto", precision: AnswerPrecisionName = "auto", workers: int = 0, seed: int = 0
) -> Machine:
    """Where a call computes, and from which seed."""
    from ulmfit.pipeline.options import Machine

    return Machine(device, precision, workers, seed)
