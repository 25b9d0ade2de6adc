"""Speed of a training step on this machine, ours and cuDNN's plain LSTM, at several batch sizes.

    python bench.py data --batches 64 128 256 --out speed.jsonl

For each batch and way: tokens/s (median of timed steps), and the share of the measured rate of one
large bf16 matrix product. Ways: "ours" (layers by hand, step recorded), "cudnn recorded" (cuDNN's
layer in the same recorded step), "cudnn" (the same, each kernel launched by itself), and "plain":
`torch.nn.LSTM` without weight dropout, `cross_entropy` over all logits, as a tutorial writes it.

Each row is added to the file as soon as it is known. An error in a kernel spoils all that a process
does after it, so measure each way by a process of its own where one may fail (LEASE.md).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from making import Asked, Maker
from speed import matrix_rate, operations_per_token, tokens_per_second
from torch import Tensor, nn

from ulmfit.device import autocast, pick_device
from ulmfit.model import lstm_choice
from ulmfit.model.awd_lstm import Architecture
from ulmfit.training.loop import Loop

BPTT = 70
WARM, TIMED = 3, 10


def main() -> None:
    """Print a line for each batch and way, and write all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 128, 256, 384])
    parser.add_argument("--hidden", type=int, default=1152)
    parser.add_argument("--embedding", type=int, default=400)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--ways", nargs="+", default=["ours", "cudnn recorded", "cudnn", "plain"])
    parser.add_argument("--matrix", type=int, default=8192, help="rows of the product to compare")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    sizes = {name: getattr(asked, name) for name in ("embedding", "hidden", "layers")}
    what = Asked(asked.data, **sizes, device=asked.device)
    for row in measured(Maker(what), asked.batches, asked.ways, asked.matrix):
        print(json.dumps(row), flush=True)
        if asked.out:
            with asked.out.open("a") as file:
                file.write(json.dumps(row) + "\n")


def measured(
    maker: Maker, batches: list[int], names: list[str], matrix: int
) -> Iterator[dict[str, Any]]:
    """One row for each batch and way; a way that fails says why in its row."""
    device = pick_device(maker.asked.device)
    rate = matrix_rate(device, matrix)
    work = operations_per_token(maker.shape)
    for batch in batches:
        for name in names:
            row: dict[str, Any] = {"batch": batch, "way": name}
            try:
                speed = WAYS[name](maker, batch)
                row |= {"tokens_per_second": round(speed), "share": round(speed * work / rate, 4)}
            except RuntimeError as error:
                row["failed"] = str(error).splitlines()[0]
            row["matrix_tflops"] = round(rate / 1e12, 1)
            yield row


def own(path: str, record: bool) -> Callable[[Maker, int], float]:
    """Our step with one of the LSTM's paths."""

    def speed(maker: Maker, batch: int) -> float:
        lstm_choice.ON_GPU = path  # type: ignore[assignment]
        loop: Loop[Any] = maker.loop(batch)[0]
        loop.record = record
        return tokens_per_second(loop)

    return speed


class Plain(nn.Module):
    """A language model as a tutorial writes it: no dropout but torch's, all logits at once."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.embedding)
        self.layers = nn.ModuleList(nn.LSTM(i, o) for i, o in shape.layer_sizes())
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))

    def forward(self, ids: Tensor, targets: Tensor, states: list[Any]) -> tuple[Tensor, list[Any]]:
        """(time, batch) of ids and targets, states -> mean nats, states."""
        x, after = self.embedding(ids), []
        for layer, state in zip(self.layers, states, strict=True):
            x, state = layer(F.dropout(x, 0.1, self.training), state)
            after.append(tuple(s.detach() for s in state))
        logits = F.linear(x, self.embedding.weight, self.bias)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten()), after


def plain(maker: Maker, batch: int) -> float:
    """`Plain` under autocast with fused Adam, on windows of random words."""
    device = pick_device(maker.asked.device)
    model = Plain(maker.shape).to(device)
    adam = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    ids = torch.randint(maker.shape.vocabulary, (BPTT + 1, batch), device=device)
    zeros = [torch.zeros(1, batch, o, device=device) for _, o in maker.shape.layer_sizes()]
    states: list[Any] = [(z, z) for z in zeros]
    seconds = []
    for _ in range(WARM + TIMED):
        started = time.perf_counter()
        with autocast(device, maker.asked.precision):
            loss, states = model(ids[:-1], ids[1:], states)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 0.3)
        adam.step()
        adam.zero_grad()
        loss.item()
        seconds.append(time.perf_counter() - started)
    return BPTT * batch / median(seconds[WARM:])


WAYS: dict[str, Callable[[Maker, int], float]] = {
    "ours": own("steps", True),
    "cudnn recorded": own("native", True),
    "cudnn": own("native", False),
    "plain": plain,
}

if __name__ == "__main__":
    main()
