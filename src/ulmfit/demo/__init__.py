"""The embedded labelled messages."""

import csv
from importlib.resources import files
from typing import NamedTuple


class Messages(NamedTuple):
    """Texts and their labels, in the same order."""

    texts: list[str]
    labels: list[str]


def load_messages() -> tuple[Messages, Messages]:
    """Read the embedded customer messages.

    Returns: (train, test), 630 and 210 texts in six equally frequent classes.
    Source: written for this project; see ``README.md`` beside this file.

    >>> train, test = load_messages()
    >>> len(train.texts), len(test.texts)
    (630, 210)
    """
    parts = {"train": Messages([], []), "test": Messages([], [])}
    lines = (files(__name__) / "messages.csv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(lines):  # no message holds a line break
        part = parts[row["split"]]
        part.texts.append(row["text"])
        part.labels.append(row["label"])
    return parts["train"], parts["test"]
