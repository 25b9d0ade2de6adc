"""Are explanations faithful? Without its strongest words, does a text get another answer?

For each way to score words: how far the probability of the answer falls when the k words that
speak most for it are cut out of the text, against k words at random. The spread is the standard
error over the texts.

python experiments/explain_study.py MODEL DATA --texts 300 --cut 1 2 3 5
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from ulmfit import Predictor, Source, load
from ulmfit.explanations import explain, screening
from ulmfit.explanations.gradients import MIDPOINTS
from ulmfit.explanations.quantity import quantity_of
from ulmfit.explanations.screening import slopes
from ulmfit.explanations.words import read

Scores = NDArray[np.float64]
Spans = list[tuple[int, int]]
Method = Callable[[str, Spans, int], Scores]
DRAWS = 10  # of random words for a text


def without(text: str, spans: Spans, words: NDArray[np.int64]) -> str:
    """The text, some of its words cut out."""
    kept, end = [], 0
    for word in sorted(words.tolist()):
        kept.append(text[end : spans[word][0]])
        end = spans[word][1]
    return "".join([*kept, text[end:]]) or " "


def answers(predictor: Predictor, texts: list[str]) -> Scores:
    return np.stack(list(predictor.probabilities(texts)))


def by_gradients(predictor: Predictor, shares: tuple[float, ...]) -> Method:
    def score(text: str, spans: Spans, label: int) -> Scores:
        reading = read(text, predictor.encoder.tokenizer)
        quantity = quantity_of(predictor.target, label)
        return slopes(predictor, text, reading, quantity, shares)

    return score


def by_occlusion(predictor: Predictor, most: int | None = None) -> Method:
    """As the package does it; `most` words tried at most."""

    def score(text: str, spans: Spans, label: int) -> Scores:
        screening.FEWEST, screening.POSITIONS = (10**9, 0) if most is None else (most, 0)
        explained = explain(predictor, text, label=predictor.labels[label])
        return np.array([word.score for word in explained.words])

    return score


def falls(
    predictor: Predictor, chosen: list[tuple[str, Spans, int, float, Scores]], cut: int
) -> Scores:
    """How far the probability of each text's answer falls: (texts,)."""
    texts = [without(t, spans, np.argsort(-s, kind="stable")[:cut]) for t, spans, _, _, s in chosen]
    after = answers(predictor, texts)
    return np.array(
        [p - row[label] for (_, _, label, p, _), row in zip(chosen, after, strict=True)]
    )


def told(name: str, fall: Scores, seconds: float) -> dict[str, object]:
    return {
        "method": name,
        "mean_fall": round(float(fall.mean()), 4),
        "standard_error": round(float(fall.std(ddof=1) / len(fall) ** 0.5), 4),
        "texts": len(fall),
        "milliseconds_a_text": round(1000 * seconds / len(fall), 1),
    }


def sample(data: list[str], wanted: int, seed: int) -> list[str]:
    texts = [row.text for row in Source(tuple(data)).rows()]
    order = np.random.default_rng(seed).permutation(len(texts))[:wanted]
    return [texts[i] for i in order]


def study(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    predictor = Predictor(load(arguments.model))
    texts = sample(arguments.data, arguments.texts, arguments.seed)
    spans = [read(text, predictor.encoder.tokenizer).spans for text in texts]
    before = answers(predictor, texts)
    labels = before.argmax(1)
    draw = np.random.default_rng(arguments.seed)
    methods: dict[str, Method] = {
        "integrated gradients": by_gradients(predictor, MIDPOINTS),
        "gradients x input": by_gradients(predictor, (1.0,)),
        "occlusion": by_occlusion(predictor),
        **{f"occlusion of {n} words": by_occlusion(predictor, n) for n in arguments.screened},
        **{f"random {i}": lambda text, spans, label: draw.random(len(spans)) for i in range(DRAWS)},
    }
    at_random: dict[int, list[Scores]] = {cut: [] for cut in arguments.cut}
    for name, method in methods.items():
        if name in arguments.leave_out:
            continue
        start = time.perf_counter()
        rows = zip(texts, spans, labels, strict=True)
        scores = [method(text, words, int(label)) for text, words, label in rows]
        seconds = time.perf_counter() - start
        every = list(zip(texts, spans, labels, before.max(1), scores, strict=True))
        for cut in arguments.cut:
            fall = falls(predictor, [each for each in every if len(each[1]) > cut], cut)
            if name.startswith("random"):
                at_random[cut].append(fall)
            else:
                yield {"cut": cut, **told(name, fall, seconds)}
    for cut, each in at_random.items():
        yield {"cut": cut, **told(f"random, {DRAWS} draws", np.mean(each, axis=0), 0)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", nargs="+")
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--cut", type=int, nargs="+", default=[1, 2, 3, 5])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--screened", type=int, nargs="*", default=[], help="words tried at most")
    parser.add_argument("--leave-out", nargs="*", default=[], help="methods, by name")
    torch.manual_seed(0)
    for line in study(parser.parse_args()):
        print(json.dumps(line), flush=True)
