"""The BPTT stream: every token once, targets one step on, no copy of the data."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ulmfit.data.stream import BPTTStream, Documents, mean_window, reverse_document

BOS = 2


def corpus(lengths: list[int]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Documents that begin with xxbos and whose other tokens all differ."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.arange(100, 100 + offsets[-1]).astype(np.uint16)
    ids[offsets[:-1][np.array(lengths) > 0]] = BOS
    return ids, offsets


def flat(
    lengths: list[int], order: list[int] | None = None, backward: bool = False
) -> NDArray[np.int64]:
    """The stream from its definition: documents one after the other, whole."""
    ids, offsets = corpus(lengths)
    pieces = []
    for which in order if order is not None else range(len(lengths)):
        tokens = [int(i) for i in ids[offsets[which] : offsets[which + 1]]]
        if backward:
            tokens = tokens[:1] + list(reversed(tokens[1:]))
        pieces += tokens
    return np.array(pieces, np.int64)


LENGTHS = [5, 1, 12, 2, 30, 3, 7]
ORDERS = [None, [4, 0, 6, 2], [3, 3, 1, 5]]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_reading_any_part_gives_that_part(order: list[int] | None, backward: bool) -> None:
    ids, offsets = corpus(LENGTHS)
    chosen = None if order is None else np.array(order)
    documents = Documents(ids, offsets, chosen, backward)
    wanted = flat(LENGTHS, order, backward)
    assert len(documents) == len(wanted)
    for start in range(len(wanted)):
        for stop in range(start + 1, len(wanted) + 1):
            part = documents.read(start, stop)
            assert part.dtype == np.int64
            assert part.tolist() == wanted[start:stop].tolist()


def test_a_backward_document_keeps_its_mark_in_front() -> None:
    assert reverse_document(np.array([BOS, 5, 6, 7])).tolist() == [BOS, 7, 6, 5]
    assert reverse_document(np.array([BOS])).tolist() == [BOS]


@pytest.mark.parametrize("variable", [True, False])
@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize(("batch", "bptt"), [(1, 7), (3, 7), (8, 20), (5, 1000)])
def test_windows_cover_each_row_once_and_targets_are_one_step_on(
    batch: int, bptt: int, backward: bool, variable: bool
) -> None:
    lengths = [17, 40, 3, 90, 1, 25]
    ids, offsets = corpus(lengths)
    stream = BPTTStream(Documents(ids, offsets, None, backward), batch, bptt, 3, variable)
    windows = list(stream.windows())
    assert len(windows) == len(stream)
    wanted = flat(lengths, None, backward)
    size = (len(wanted) - 1) // batch
    rows = np.concatenate([w.ids for w in windows]).T
    targets = np.concatenate([w.targets for w in windows]).T
    assert rows.tolist() == wanted[: size * batch].reshape(batch, size).tolist()
    assert targets.tolist() == wanted[1 : size * batch + 1].reshape(batch, size).tolist()
    if not variable:
        assert all(len(w.ids) == bptt for w in windows[:-1])


def test_starting_at_any_window_goes_on_identically() -> None:
    ids, offsets = corpus([4000, 9000, 12000])  # longer than what is read ahead
    stream = BPTTStream(Documents(ids, offsets), 3, 70, seed=5)
    whole = list(stream.windows())
    for start in (0, 1, 17, len(whole) - 1, len(whole)):
        rest = list(stream.windows(start))
        assert len(rest) == len(whole) - start
        for a, b in zip(rest, whole[start:], strict=True):
            assert np.array_equal(a.ids, b.ids) and np.array_equal(a.targets, b.targets)


def test_lengths_are_drawn_as_in_merity() -> None:
    """95% from N(70, 5), 5% from N(35, 5): the mean, the spread and the share of short ones."""
    ids = np.zeros(3_000_000, np.uint16)
    documents = Documents(ids, np.array([0, len(ids)]))
    lengths = np.diff(BPTTStream(documents, 1, 70, seed=0).borders)[:-1]
    assert len(lengths) > 40_000
    # Whole numbers are rounded down, which takes half a step off each mean.
    short, normal = lengths[lengths < 52], lengths[lengths >= 52]
    assert len(short) / len(lengths) == pytest.approx(0.05, abs=0.005)
    assert normal.mean() == pytest.approx(69.5, abs=0.15)
    assert normal.std() == pytest.approx(5, abs=0.1)
    assert short.mean() == pytest.approx(34.5, abs=0.5)
    assert short.std() == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize(("bptt", "variable"), [(70, True), (70, False), (35, True)])
def test_what_a_window_has_on_average(bptt: int, variable: bool) -> None:
    documents = Documents(np.zeros(400_001, np.uint16), np.array([0, 400_001]))
    borders = BPTTStream(documents, 1, bptt, 0, variable).borders
    assert np.diff(borders).mean() == pytest.approx(mean_window(bptt, variable), rel=0.005)


def test_no_window_but_the_last_is_shorter_than_five() -> None:
    ids = np.zeros(50_000, np.uint16)
    lengths = np.diff(BPTTStream(Documents(ids, np.array([0, len(ids)])), 1, 6, seed=0).borders)
    assert lengths[:-1].min() == 5


def test_seeds_differ_and_one_seed_does_not() -> None:
    ids = np.zeros(9000, np.uint16)
    documents = Documents(ids, np.array([0, len(ids)]))

    def borders(seed: int) -> list[int]:
        return BPTTStream(documents, 2, 70, seed).borders.tolist()

    assert borders(1) == borders(1) != borders(2)


def test_too_few_tokens_for_the_rows_are_refused() -> None:
    ids, offsets = corpus([4])
    with pytest.raises(ValueError, match="4 tokens cannot fill 4 rows"):
        BPTTStream(Documents(ids, offsets), 4, 70, 0)


class Watched(np.memmap):  # type: ignore[type-arg]
    """A memory map that remembers the longest piece ever taken of it."""

    longest = 0

    def __getitem__(self, key: object) -> object:
        piece = super().__getitem__(key)  # type: ignore[index]
        Watched.longest = max(Watched.longest, np.size(piece))
        return piece


@pytest.mark.parametrize("backward", [False, True])
def test_a_memory_map_is_read_in_small_pieces_even_of_one_huge_document(
    tmp_path: Path, backward: bool
) -> None:
    np.arange(1_000_000, dtype=np.uint32).tofile(tmp_path / "ids.bin")
    ids = Watched(tmp_path / "ids.bin", np.uint32, "r")
    stream = BPTTStream(Documents(ids, np.array([0, len(ids)]), None, backward), 4, 70, seed=0)
    for number, _window in enumerate(stream.windows(1000)):
        if number == 200:
            break
    assert 0 < Watched.longest < 10_000


@pytest.mark.parametrize("multiple", [4, 8])
def test_lengths_can_be_rounded_so_that_few_differ(multiple: int) -> None:
    ids, offsets = corpus([4000])
    plan = BPTTStream(Documents(ids, offsets), 1, 70, seed=0, multiple=multiple)
    lengths = np.diff(plan.borders)[:-1]  # the last is what is left
    assert (lengths % multiple == 0).all() and lengths.min() >= multiple
    assert abs(lengths.mean() - 70) < 8
    assert plan.borders[-1] == plan.row_length
