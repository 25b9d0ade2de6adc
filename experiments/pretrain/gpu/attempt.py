"""One attempt at training within a time: choose the batch, train, leave pieces, measure."""

from __future__ import annotations

import math
import platform
import time
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pieces
import torch
from clock import Timed
from events import beat, say, tell_warnings
from making import Asked, Maker
from speed import chosen, operations_per_token, speeds
from stretch import Stretch

from ulmfit.compact import Storage
from ulmfit.corpus import open_corpus
from ulmfit.data.stream import Documents
from ulmfit.errors import InputError
from ulmfit.language_modelling import weights_of
from ulmfit.model.heads import LanguageModel
from ulmfit.stream_task import LanguageModelTask, stream_nats
from ulmfit.training.loop import EpochEnd, Loop
from ulmfit.training.recorded import NotRecorded

BATCHES = (64, 128, 192, 256, 384)
TRIAL_SECONDS = 40.0  # for choosing a batch
MINUTE = 60.0
POINT = 5.0  # seconds between points of the learning curve
RECORDED_BY = 10  # steps after which it is known whether they are recorded
EPOCHS_AT_MOST = 1000  # the clock ends the training before
RISE = 1.0  # nats above the lowest point so far: no noise (points move by a tenth)
RAMP = 5.0  # seconds, when weights come without the optimizer's moments


class Diverged(RuntimeError):
    """The loss or a weight is no finite number, or the loss has left its curve."""


class Attempt:
    """Trains until `deadline` (by `time.monotonic`), of which `reserve` seconds are for the end.

    Args:
        asked: what to train.
        out: for `DIRECTION-pieces`.
        deadline: when all is over.
        reserve: seconds of it for measuring.
        storage: of the pieces.
        every: seconds between pieces.
        command: that began this, for the model's provenance.
    """

    def __init__(
        self,
        asked: Asked,
        out: Path,
        deadline: float,
        reserve: float,
        storage: Storage,
        every: float,
        command: str = "",
    ) -> None:
        self.asked = asked
        self.maker = Maker(asked)
        self.pieces = out / f"{asked.direction}-pieces"
        self.end = deadline - reserve
        self.storage = storage
        self.every = every
        self.commands = [command]
        self.seen = 0
        """tokens, in all"""
        self.seconds = 0.0
        """of training, by attempts before this one"""
        self.history: list[dict[str, float]] = []
        """tokens, loss and rate every `POINT` seconds"""
        self.recorded = True
        self._began = time.monotonic()
        tell_warnings(self._heed)
        warnings.simplefilter("always", NotRecorded)  # of each loop, the trial's and the real one

    def _heed(self, kind: type[Warning]) -> None:
        self.recorded = self.recorded and not issubclass(kind, NotRecorded)

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
        self.recorded = True  # each loop finds out for itself
        return chosen(measured)

    def train(self, batch: int, begun: dict[str, Any] | None = None, weights: Any = None) -> None:
        """To the end of the time; `begun` is the state that `weights` were left with.

        Raises:
            Diverged: there is no use in going on; the pieces are those from before.
            InputError: `begun` is of another model.
        """
        loop, held_out = self.maker.loop(batch)
        done = 0.0 if begun is None else self._go_on(loop, begun, weights)
        schedule = loop.phases[0].schedule
        self._began = time.monotonic()
        ramp = RAMP if begun else 0.0
        clock = Timed(schedule, self._began, self.end, done, min(ramp, 0.05 * self._left()))
        loop.phases = [replace(loop.phases[0], schedule=clock, epochs=self._epochs(loop))]
        say(
            "start",
            **self._asked(),
            batch=batch,
            share=round(done, 4),
            seen=self.seen,
            parameters=sum(p.numel() for p in loop.model.parameters()),
            operations_per_token=operations_per_token(self.maker.shape),
            corpus_on_device=loop.task.resident is not None,
            machine=machine(loop.device),
        )
        if done < 1:
            self._run(loop, clock, batch)
        self._finish(loop, held_out, batch, clock.share())

    def _go_on(
        self, loop: Loop[LanguageModelTask], begun: dict[str, Any], weights: dict[str, Any]
    ) -> float:
        """Take over what an earlier process left; the share of the schedule that is done."""
        mine = self.asked.direction, self.maker.shape.to_dict()
        theirs = begun["asked"]["direction"], begun["architecture"]
        if theirs != mine:
            raise InputError(f"the pieces to go on from are {theirs}, not {mine}")
        loop.model.load_state_dict(weights)
        self.seen, self.seconds = begun["seen"], begun["seconds"]
        self.history = begun["history"]
        self.commands = [*begun["commands"], *self.commands]
        return float(begun["share"])

    def _left(self) -> float:
        return max(0.0, self.end - time.monotonic())

    def _asked(self) -> dict[str, Any]:
        return {**asdict(self.asked), "data": str(self.asked.data)}

    def _epochs(self, loop: Loop[LanguageModelTask]) -> int:
        """More than the time can hold: an epoch's tokens at 5 million a second."""
        left = max(1.0, self._left())
        return min(EPOCHS_AT_MOST, 1 + math.ceil(left * 5e6 / loop.task.tokens(0)))

    def _run(self, loop: Loop[LanguageModelTask], clock: Timed, batch: int) -> None:
        told, saved, point = Stretch(), Stretch(), Stretch()
        steps = 0
        for record in loop.run():
            beat()
            if isinstance(record, EpochEnd):
                say("epoch", epoch=record.epoch, train_nats=round(record.loss, 4))
                continue
            if not math.isfinite(record.loss):
                raise Diverged(f"the loss is {record.loss} after {self.seen:,} tokens")
            self.seen, steps = self.seen + record.tokens, steps + 1
            for stretch in (told, saved, point):
                stretch.add(record)
            over = time.monotonic() >= self.end
            if steps == RECORDED_BY:
                say("recording", steps_are_recorded=loop.records and self.recorded)
            if point.seconds() >= POINT or (over and not self.history):
                rate = max(record.rates)
                self.history.append({"tokens": self.seen, "loss": point.mean(), "rate": rate})
                point = Stretch()
            if over or told.seconds() >= MINUTE:
                self._tell(loop, told, clock, max(record.rates))
                told = Stretch()
            if over or saved.seconds() >= self.every:
                self._check()
                self._save(loop.model, batch, clock.share())
                saved = Stretch()
            if over:
                return

    def _tell(
        self, loop: Loop[LanguageModelTask], told: Stretch, clock: Timed, rate: float
    ) -> None:
        say(
            "minute",
            share=round(clock.share(), 4),
            tokens=self.seen,
            tokens_per_second=round(told.tokens / max(1e-9, told.seconds())),
            train_nats=round(told.mean(), 4),
            rate=rate,
            steps_are_recorded=loop.records and self.recorded,
        )

    def _check(self) -> None:
        losses = [point["loss"] for point in self.history]
        if losses and losses[-1] > min(losses) + RISE:
            raise Diverged(f"the loss rose from {min(losses):.2f} to {losses[-1]:.2f} nats")

    def _save(self, model: Any, batch: int, share: float, **figures: Any) -> None:
        """Replace the pieces, unless the weights are no numbers any more."""
        weights = weights_of(model)
        if wrong := [name for name, tensor in weights.items() if not tensor.isfinite().all()]:
            raise Diverged(f"not finite after {self.seen:,} tokens: {', '.join(wrong)}")
        told = {
            "asked": self._asked(),
            "architecture": self.maker.shape.to_dict(),
            "batch": batch,
            "share": share,
            "seen": self.seen,
            "seconds": self.seconds + min(time.monotonic(), self.end) - self._began,
            "machine": machine(model.decoder_bias.device),
            "commands": self.commands,
            "steps_are_recorded": self.recorded,
            "history": self.history,
            **figures,
        }
        pieces.write(weights, told, self.pieces, self.storage)

    def _finish(
        self, loop: Loop[LanguageModelTask], held_out: Documents, batch: int, share: float
    ) -> None:
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
        nats, tokens = stream_nats(
            model, documents, self.asked.precision, progress=lambda done, total: beat()
        )
        told = {"loss": nats / tokens, "perplexity": math.exp(min(50.0, nats / tokens))}
        return told | ({"word_perplexity": math.exp(min(50.0, nats / words))} if words else {})


def machine(device: torch.device) -> str:
    """What trains, and with which torch."""
    on_gpu = device.type == "cuda"
    name = torch.cuda.get_device_name(device) if on_gpu else platform.machine()
    return f"{name}, torch {torch.__version__}"
