"""One attempt at training within a time: choose the batch, train, leave pieces, measure."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pieces
from clock import Timed
from making import Asked, Maker
from speed import chosen, operations_per_token, speeds

from ulmfit.compact import Storage
from ulmfit.corpus import open_corpus
from ulmfit.data.stream import Documents
from ulmfit.language_modelling import weights_of
from ulmfit.model.heads import LanguageModel
from ulmfit.stream_task import LanguageModelTask, stream_nats
from ulmfit.training.loop import EpochEnd, Loop, Step

BATCHES = (64, 128, 192, 256, 384)
TRIAL_SECONDS = 40.0  # for choosing a batch
MINUTE = 60.0
EPOCHS_AT_MOST = 1000  # the clock ends the training before


def say(event: str, **figures: Any) -> None:
    """One line of JSON."""
    print(json.dumps({"event": event, **figures}), flush=True)


class Attempt:
    """Trains until `deadline` (by `time.monotonic`), of which `reserve` seconds are for the end."""

    def __init__(
        self,
        asked: Asked,
        out: Path,
        deadline: float,
        reserve: float,
        storage: Storage,
        every: float,
    ) -> None:
        self.asked = asked
        self.maker = Maker(asked)
        self.pieces = out / f"{asked.direction}-pieces"
        self.end = deadline - reserve
        self.storage = storage
        self.every = every
        self.seen = 0
        """tokens, in all"""
        self.history: list[dict[str, float]] = []

    def batch(self, given: int | None, batches: tuple[int, ...] = BATCHES) -> int:
        """The batch that was asked for, or the one that a short trial finds."""
        if given is not None:
            return given
        measured: dict[int, float] = {}
        limit = min(TRIAL_SECONDS, 0.1 * (self.end - time.monotonic()))
        until = time.monotonic() + limit
        for batch, speed in speeds(lambda size: self.maker.loop(size)[0], batches, until):
            measured[batch] = speed
            say("trial", batch=batch, tokens_per_second=round(speed))
        return chosen(measured)

    def train(self, batch: int, begun: dict[str, Any] | None, weights: Any = None) -> None:
        """To the end of the time; `begun` is the state that `weights` were left with."""
        loop, held_out = self.maker.loop(batch)
        done = 0.0
        if begun is not None:
            loop.model.load_state_dict(weights)
            done, self.seen, self.history = begun["share"], begun["seen"], begun["history"]
        schedule = loop.phases[0].schedule
        clock = Timed(schedule, time.monotonic(), self.end, done)
        loop.phases = [replace(loop.phases[0], schedule=clock, epochs=self._epochs(loop))]
        say(
            "start",
            **{**asdict(self.asked), "data": str(self.asked.data)},
            batch=batch,
            share=round(done, 4),
            parameters=sum(p.numel() for p in loop.model.parameters()),
            operations_per_token=operations_per_token(self.maker.shape),
            steps_are_recorded=loop.records,
            corpus_on_device=loop.task.resident is not None,
        )
        self._run(loop, clock, batch)
        self._finish(loop, held_out, batch, clock.share())

    def _epochs(self, loop: Loop[LanguageModelTask]) -> int:
        """More than the time can hold: an epoch's tokens at 5 million a second."""
        left = max(1.0, self.end - time.monotonic())
        return min(EPOCHS_AT_MOST, 1 + math.ceil(left * 5e6 / loop.task.tokens(0)))

    def _run(self, loop: Loop[LanguageModelTask], clock: Timed, batch: int) -> None:
        told = saved = time.monotonic()
        tokens, nats, steps = 0, 0.0, 0
        for record in loop.run():
            if isinstance(record, EpochEnd):
                say("epoch", epoch=record.epoch, train_nats=round(record.loss, 4))
                continue
            self.seen += record.tokens
            tokens, nats, steps = tokens + record.tokens, nats + record.loss, steps + 1
            now = time.monotonic()
            over = now >= self.end
            if over or now - told >= MINUTE:
                self._tell(record, clock, tokens / max(1e-9, now - told), nats / steps)
                told, tokens, nats, steps = now, 0, 0.0, 0
            if now - saved >= self.every and not over:
                self._save(loop.model, batch, clock.share())
                saved = time.monotonic()
            if over:
                return

    def _tell(self, step: Step, clock: Timed, speed: float, nats: float) -> None:
        figures = {
            "share": round(clock.share(), 4),
            "tokens": self.seen,
            "tokens_per_second": round(speed),
            "train_nats": round(nats, 4),
            "rate": max(step.rates),
        }
        self.history.append(figures)
        say("minute", **figures)

    def _save(self, model: Any, batch: int, share: float, **figures: Any) -> None:
        told = {
            "asked": {**asdict(self.asked), "data": str(self.asked.data)},
            "architecture": self.maker.shape.to_dict(),
            "batch": batch,
            "share": share,
            "seen": self.seen,
            "history": self.history,
            **figures,
        }
        pieces.write(weights_of(model), told, self.pieces, self.storage)

    def _finish(
        self, loop: Loop[LanguageModelTask], held_out: Documents, batch: int, share: float
    ) -> None:
        self._save(loop.model, batch, share)  # first, should what follows fail
        figures = {"held_out": self._measured(loop.task.model, held_out)}
        test = self.maker.asked.data / "test"
        if test.exists():
            corpus = open_corpus(test)
            documents = corpus.documents(backward=self.asked.direction == "backward")
            figures["test"] = self._measured(loop.task.model, documents, corpus.stats.words)
        self._save(loop.model, batch, share, **figures)
        say("end", seen=self.seen, share=round(share, 4), **figures)

    def _measured(
        self, model: LanguageModel, documents: Documents, words: int | None = None
    ) -> dict[str, float]:
        nats, tokens = stream_nats(model, documents, self.asked.precision)
        told = {"loss": nats / tokens, "perplexity": math.exp(min(50.0, nats / tokens))}
        return told | ({"word_perplexity": math.exp(min(50.0, nats / words))} if words else {})
