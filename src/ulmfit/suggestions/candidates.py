"""The most uncertain texts of a stream of any length, each once, in bounded memory."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass

from ulmfit.data.rows import Row
from ulmfit.predict import Answer


@dataclass(frozen=True)
class Candidate:
    """A row that may be suggested."""

    row: Row
    answer: Answer
    uncertainty: float


class Candidates:
    """Keeps the `most` most uncertain of what it is given; of equal ones the earlier."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, bytes]] = []
        self._held: dict[bytes, Candidate] = {}
        self._met = 0

    def add(self, candidate: Candidate) -> None:
        """Take it in, unless its text is held already or all that are held are less sure."""
        self._met += 1
        key = text_key(candidate.row.text)
        if key in self._held:
            return
        entry = (candidate.uncertainty, -self._met, key)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            _, _, dropped = heapq.heapreplace(self._heap, entry)
            del self._held[dropped]
        else:
            return
        self._held[key] = candidate

    def ranked(self) -> list[Candidate]:
        """The most uncertain first."""
        return [self._held[key] for _, _, key in sorted(self._heap, reverse=True)]


def text_key(text: str) -> bytes:
    """16 bytes that are the same for texts that differ in case and spaces alone."""
    plain = " ".join(text.casefold().split())
    return hashlib.blake2b(plain.encode("utf8", "surrogatepass"), digest_size=16).digest()
