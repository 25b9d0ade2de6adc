"""One LSTM layer; how it is computed is `lstm_choice`'s matter."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ulmfit import device as devices
from ulmfit.model.dropout import weight_dropout
from ulmfit.model.lstm_choice import compute_dtype, runs_in_steps
from ulmfit.model.lstm_paths import State, lstm_native
from ulmfit.model.lstm_steps import lstm_steps


class LSTMLayer(nn.Module):
    """One layer whose recurrent matrix is dropped at random in training.

    Args:
        features: size of the input.
        hidden: size of the state and the output.
        weight_p: probability that a recurrent weight is dropped for one pass.
    """

    def __init__(self, features: int, hidden: int, weight_p: float = 0.0) -> None:
        super().__init__()
        self.hidden = hidden
        self.weight_p = weight_p
        bound = hidden**-0.5
        self.w_ih = nn.Parameter(torch.empty(4 * hidden, features).uniform_(-bound, bound))
        self.w_hh = nn.Parameter(torch.empty(4 * hidden, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(4 * hidden).uniform_(-bound, bound))

    def forward(
        self, x: Tensor, state: State, waiting: int = 0, again: bool = False
    ) -> tuple[Tensor, State]:
        """(time, batch, features), state -> (time, batch, hidden), state. States stay fp32.

        Args:
            x: the input.
            state: before the first step.
            waiting: the first so many rows build no graph; values and random draws are the same.
            again: then the other rows keep only their input and are read again in the backward
                pass; else each pass keeps its dropped weights, which many have no memory for.
        """
        if waiting and (x.requires_grad or any(p.requires_grad for p in self.parameters())):
            return self._in_two(x, state, waiting, again)
        return self._read(x, state)

    def _weights(self, x: Tensor) -> list[Tensor]:
        """w_ih, w_hh, bias of one pass over `x`: dropped, and in the type that is computed in."""
        dtype = compute_dtype(x, self.hidden)
        w_hh = weight_dropout(self.w_hh, self.weight_p, self.training, dtype)
        return [self.w_ih.to(dtype), w_hh, self.bias.to(dtype)]

    def _read(
        self, x: Tensor, state: State, weights: list[Tensor] | None = None
    ) -> tuple[Tensor, State]:
        w_ih, w_hh, bias = self._weights(x) if weights is None else weights
        with torch.autocast(x.device.type, enabled=False):
            x = x.to(w_ih.dtype)
            if runs_in_steps(x, self.hidden):
                y, (h, c) = lstm_steps(x, state, w_ih, w_hh, bias)
            else:
                low = state[0].to(x.dtype), state[1].to(x.dtype)
                y, (h, c) = lstm_native(x, low, w_ih, w_hh, bias)
        return y, (h.float(), c.float())

    def _in_two(self, x: Tensor, state: State, n: int, again: bool) -> tuple[Tensor, State]:
        """The first n rows without a graph, the others with one, by the same dropped weights."""
        h, c = state
        waiting, others = (x[:, :n], (h[:n], c[:n])), (x[:, n:].contiguous(), (h[n:], c[n:]))
        if again:
            before = devices.random_state(x.device)
            with torch.no_grad():
                first, (h_first, c_first) = self._read(*waiting)
            devices.set_random_state(x.device, before)
            y, (h, c) = checkpoint(self._read, *others, use_reentrant=False)
        else:
            weights = self._weights(x)
            with torch.no_grad():
                first, (h_first, c_first) = self._read(*waiting, weights)
            y, (h, c) = self._read(*others, weights)
        return torch.cat([first, y], 1), (torch.cat([h_first, h]), torch.cat([c_first, c]))
