"""What a finished model is used for: evaluate, perplexity, predict a file, generate."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ulmfit import device as devices
from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import prepare
from ulmfit.data.column_types import Types
from ulmfit.data.rows import Row
from ulmfit.data.sources import is_supported
from ulmfit.data.write_rows import PredictionWriter, format_of
from ulmfit.data.write_table import check_table
from ulmfit.errors import InputError
from ulmfit.metrics import bits_per_byte, word_perplexity
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline.evaluating import Progress
from ulmfit.pipeline.evaluating import evaluate as evaluate
from ulmfit.pipeline.options import Machine, Source
from ulmfit.predict import Predictor
from ulmfit.stream_task import stream_nats
from ulmfit.text.specials import BEGIN_ID, PADDING_ID, UNKNOWN_ID

NO_DROPOUT = Dropouts(0, 0, 0, 0, 0)


def perplexity(
    bundle: Bundle,
    source: Source,
    machine: Machine,
    direction: Direction | None = None,
    progress: Progress = lambda done, total: None,
    on_bad: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Figures of a language model on texts.

    `word_perplexity` spreads all nats, those of case markers and text borders too, over the
    words as WikiText counts them; where all files are `.tokens`, over their own tokens.

    Raises:
        InputError: the bundle is no language model of that direction, or there is no text.
    """
    source = source.without_labels()
    source.check()
    direction = direction or bundle.directions[0]
    model = bundle.language_model(direction, NO_DROPOUT).to(devices.pick_device(machine.device))
    own_words, all_tell = 0, True

    def texts() -> Iterator[str]:
        nonlocal own_words, all_tell
        for row in source.rows(on_bad):
            own = _own_words(row, source.format)
            own_words, all_tell = own_words + own, all_tell and own > 0
            yield row.text

    with tempfile.TemporaryDirectory() as folder:
        corpus = prepare(texts(), bundle.encoder, Path(folder), machine.processes)
        documents = corpus.documents(backward=direction == "backward")
        nats, tokens = stream_nats(
            model, documents, devices.exact(machine.precision), progress=progress
        )
    words = own_words if all_tell else corpus.stats.words
    return {
        "direction": direction,
        "nats_per_token": nats / tokens,
        "perplexity": math.exp(nats / tokens),
        "tokens": tokens,
        "words": words,
        "bytes": corpus.stats.bytes,
        "word_perplexity": word_perplexity(nats, words),
        "bits_per_byte": bits_per_byte(nats, corpus.stats.bytes),
        "oov_rate": corpus.stats.unknown_rate,
    }


def _own_words(row: Row, format: str | None) -> int:
    """The article's own tokens in a `.tokens` file, else 0."""
    is_wikitext = (format or Path(row.file.removesuffix(".gz")).suffix) in ("tokens", ".tokens")
    own = row.fields.get("tokens")
    return own if is_wikitext and isinstance(own, int) else 0


def predict_file(
    bundle: Bundle,
    source: Source,
    out: Path,
    machine: Machine,
    progress: Progress = lambda done, total: None,
    on_bad: Callable[[str], None] | None = None,
    abstain_below: float | None = None,
) -> int:
    """Predict every row of `source` into `out`, in order; whole or not there.

    The rows are read once before, so that a bad one is found at the start and not in the last
    hour, the columns of all are known, and the time left can be told.

    Args:
        bundle: a classifier.
        source: the rows; no column is taken for a label, and a row without a text is
            answered like any other.
        out: a .csv, .tsv, .jsonl or .parquet file.
        machine: where to compute.
        progress: told how many rows are done.
        on_bad: called with a message for each row left out.
        abstain_below: leave open what is less probable to be right; None takes the model's
            border, if it has one; 0 answers everything.

    Returns:
        How many rows were written.

    Raises:
        InputError: the bundle is no classifier, a row is bad, `out` cannot be written.
        OSError: the disk is full, and the like.
    """
    source = replace(source.without_labels(), blank_texts=True)
    source.check()
    refuse_input_as_output(source, out)
    check_table(out)
    predictor = Predictor(bundle, machine.device, machine.precision)
    waiting: list[dict[str, object]] = []

    def texts() -> Iterator[str]:
        for row in source.rows():
            waiting.append(row.fields)
            yield row.text

    done = 0
    answers = predictor.answers(texts(), abstain_below)
    total, columns, types = _counted(source, on_bad, out)
    writer = _writer(out, bundle, abstain_below, columns, types)
    with writer:
        for answer in answers:
            rows = () if answer.probabilities is None else answer.probabilities.tolist()
            writer.write(waiting[done], answer.label, rows)
            waiting[done] = {}
            done += 1
            if done == len(waiting):
                waiting.clear()
                progress(writer.rows, total)
                done = 0
    return writer.rows


def _counted(
    source: Source, on_bad: Callable[[str], None] | None, out: Path
) -> tuple[int, list[str], Types | None]:
    """How many rows there are, every column that one of them has, and for Parquet their types."""
    total, types = 0, Types() if format_of(out) == "parquet" else None
    columns: dict[str, None] = {}
    for row in source.rows(on_bad):
        total += 1
        columns |= dict.fromkeys(row.fields)
        if types is not None:
            types.add(row.fields)
    return total, list(columns), types


def _writer(
    out: Path,
    bundle: Bundle,
    abstain_below: float | None,
    columns: Sequence[str],
    types: Types | None,
) -> PredictionWriter:
    border = bundle.target.abstain_below if abstain_below is None else abstain_below
    return PredictionWriter(
        out,
        bundle.labels,
        label="value" if bundle.target.kind == "real" else "label",
        separator=bundle.target.separator,
        abstains=bool(border),
        columns=columns,
        types=types,
    )


def refuse_input_as_output(source: Source, out: Path) -> None:
    """Raise InputError where `out` is a file that is read, or would be the next time."""
    is_read = source.format is not None or is_supported(out)
    for path in map(Path, source.paths):
        if out.exists() and path.exists() and out.samefile(path):
            raise InputError(f"{out}: is the input; choose another file for the output")
        if is_read and path.is_dir() and out.parent.exists() and out.parent.samefile(path):
            raise InputError(
                f"{out}: is in the folder {path}, whose files are the input; choose another file "
                "for the output"
            )


def generate(
    bundle: Bundle,
    text: str,
    *,
    tokens: int = 60,
    temperature: float = 0.8,
    seed: int = 0,
    direction: Direction | None = None,
) -> str:
    """Go on with `text` by sampling; a backward model writes what comes before it.

    Args:
        bundle: a language model.
        text: may be empty.
        tokens: how many to add.
        temperature: logits are divided by it; above 0.
        seed: of the sampling.
        direction: None takes the bundle's first.

    Raises:
        InputError: the bundle is no language model, or a number is out of range.
    """
    if not (1e-6 <= temperature < math.inf) or tokens < 1:
        raise InputError("temperature must be above 0 (1e-6 at least), and tokens at least 1")
    direction = direction or (bundle.directions[0] if bundle.directions else "forward")
    model = bundle.language_model(direction, NO_DROPOUT).eval()
    ids = [int(i) for i in bundle.encoder.encode(text)]
    if direction == "backward":
        ids = [ids[0], *ids[:0:-1]]
    added = _sample(model, ids, tokens, temperature, seed)
    whole = [*ids[1:], *added]
    return bundle.encoder.decode(whole[::-1] if direction == "backward" else whole)


def _sample(
    model: LanguageModel, ids: list[int], count: int, temperature: float, seed: int
) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    states = model.encoder.initial_states(1)
    added: list[int] = []
    with torch.inference_mode():
        window = torch.tensor(ids)[:, None]
        for _ in range(count):
            out = model.encoder(window, states)
            states = out.states
            logits = model.logits(out.raw[-1])[0] / temperature
            logits[[UNKNOWN_ID, PADDING_ID, BEGIN_ID]] = -torch.inf
            chosen = int(torch.multinomial(logits.softmax(0), 1, generator=generator))
            added.append(chosen)
            window = torch.tensor([[chosen]])
    return added
