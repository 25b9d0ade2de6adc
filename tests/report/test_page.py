"""The page: one whole, safe file for every kind of model, however much or little is known."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ulmfit.report.history import stages_of_metrics
from ulmfit.report.page import page
from ulmfit.targets.kinds import KINDS, Kind

from .conftest import Make

VOID = {"meta", "br", "hr", "wbr", "img", "input", "link"}
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>'",
    "</title></style><svg/onload=alert(3)>",
    "עברית ועוד",
    "\u202egnp.exe\u202c",
    "a\0b\ud800\udfff",
    "{{7*7}} ${x} &lt;b&gt;",
]
LONG = "x" * 100_000


class Document(HTMLParser):
    """Elements in order, their attributes, the text; every element is closed in its order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def every(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


def check(source: str) -> Document:
    """What must be so for any page."""
    document = Document(source)
    names = {name for name, _ in document.elements}
    assert not names & {"script", "iframe", "object", "embed", "img", "link", "form", "base"}
    ids = [a["id"] for _, a in document.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    for _, attributes in document.elements:
        assert not [a for a in attributes if a.startswith("on") or a in ("src", "srcset")]
        for wanted in (attributes.get("aria-labelledby") or "").split():
            assert wanted in ids
        if link := attributes.get("href"):
            assert link.startswith("#") and link[1:] in ids
    assert not re.search(r"https?://|url\(|@import|javascript:", source)
    source.encode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", source)
    return document


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tested", [True, False])
def test_every_kind_of_model_has_a_whole_page(make: Make, kind: Kind, tested: bool) -> None:
    found = make(kind, rows=60, tested=tested)
    document = check(page(found))
    sections = [a["id"] for a in document.every("section")]
    wanted = ["results", "trust", "mistakes", "labels", "data", "learning", "made", "again"]
    absent = {"real": {"trust", "labels"}, "multi": {"labels"}}.get(kind, set())
    assert sections == [name for name in wanted if name not in absent]
    assert ("There was no test set" in document.text) == (not tested)


def test_every_chart_is_told_in_words(make: Make) -> None:
    source = page(make())
    charts = re.findall(r'<svg viewBox[^>]*role="img".*?</svg>', source, re.DOTALL)
    assert len(charts) >= 9
    for chart in charts:
        assert re.search(r"<title id=[^>]*>[^<]{4,}</title><desc id=[^>]*>[^<]{10,}</desc>", chart)
    silent = re.findall(r"<svg(?![^>]*role=)[^>]*>", source)
    assert silent and all('aria-hidden="true"' in svg for svg in silent)


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal"])
def test_hostile_names_stay_text(make: Make, kind: Kind) -> None:
    found = make(kind, HOSTILE, rows=80, name="<script>alert('model')</script>")
    found.lacks.append("The training data <script>alert(4)</script> is not there.")
    document = check(page(found))
    for shown in HOSTILE[:3]:
        assert shown in document.text
    assert "<script>alert('model')</script>" in document.text
    assert "a\ufffdb\ufffd\ufffd" in document.text


def test_hostile_texts_and_files_stay_text(make: Make) -> None:
    found = make(rows=40)
    assert found.train is not None and found.measured is not None and found.doubts
    for part in (found.train, found.measured.part):
        for i, hostile in enumerate([*HOSTILE, LONG]):
            part.texts[i] = hostile  # type: ignore[index]
            part.places[i] = f"{hostile}:1"  # type: ignore[index]
    found.mistakes = [
        replace(found.mistakes[0], text=hostile, place=hostile, words=())
        for hostile in [*HOSTILE, LONG]
    ]
    found.doubts = [replace(found.doubts[0], text=h, place=h) for h in [*HOSTILE, LONG]]
    assert found.record is not None
    told = found.record.run["inputs"][0] | {"path": HOSTILE[0]}
    run = {**found.record.run, "command_line": ["ulmfit", *HOSTILE], "inputs": [told]}
    found.record = replace(found.record, run=run)
    source = page(found)
    document = check(source)
    assert HOSTILE[0] in document.text and "\\u202e" in document.text
    assert len(source) < 400_000


def test_the_policy_forbids_scripts_and_the_network(make: Make) -> None:
    document = check(page(make(rows=30)))
    [policy] = [
        a["content"] for a in document.every("meta") if a.get("http-equiv", "") == POLICY_NAME
    ]
    assert policy is not None and "default-src 'none'" in policy and "script" not in policy


POLICY_NAME = "Content-Security-Policy"


@settings(max_examples=8)
@given(
    names=st.lists(st.text(st.characters(), min_size=1, max_size=30), min_size=2, max_size=20),
    name=st.text(st.characters(), min_size=1, max_size=30),
)
def test_any_names_make_a_whole_page(make: Make, names: list[str], name: str) -> None:
    check(page(make("single", names, rows=40, name=name)))


def test_very_many_classes_make_a_page_of_bearable_size(make: Make) -> None:
    source = page(make("single", [f"class {i}" for i in range(600)], rows=1500))
    document = check(source)
    assert "The 20 weakest of 600 labels" in document.text
    assert len(source) < 1_000_000


def test_one_huge_name_does_not_swell_the_page(make: Make) -> None:
    source = page(make("single", [LONG, "small", "tiny"], rows=60, name=LONG))
    check(source)
    assert len(source) < 200_000


def test_two_classes_and_many_classes(make: Make) -> None:
    assert "Most frequent confusions" not in page(make("single", ["neg", "pos"], rows=50))
    some = page(make("single", [f"c{i}" for i in range(40)], rows=300))
    assert "Most frequent confusions" in some and "What is taken for what" in some


def test_a_model_of_which_little_is_known(make: Make) -> None:
    found = make(rows=40)
    bundle = replace(found.bundle, metrics={"forward": {"history": [{"epoch": 0, "loss": 0.5}]}})
    bare = replace(
        found,
        bundle=bundle,
        record=None,
        stages=stages_of_metrics(bundle),
        train=None,
        valid=None,
        measured=None,
        figures=None,
        baseline=None,
        mistakes=[],
        doubts=None,
        lengths=[],
        lacks=["There is no training.jsonl."],
    )
    document = check(page(bare))
    assert [a["id"] for a in document.every("section")] == ["learning", "made"]
    assert "What this page cannot tell" in document.text


def test_figures_alone_are_shown_without_rows(make: Make) -> None:
    """The test rows are gone; metrics.json keeps their figures."""
    found = make(rows=60)
    found = replace(found, measured=None, baseline=None, train=None, valid=None, mistakes=[])
    found.doubts, found.lengths = None, []
    document = check(page(found))
    assert next(document.every("section"))["id"] == "results"
    assert "What is taken for what" in document.text


def test_no_wrong_answer_is_no_mistake(make: Make) -> None:
    found = make(rows=30)
    found.mistakes, found.doubts = [], []
    document = check(page(found))
    assert "None among 30 rows of test." in document.text
    assert "None: no label is contradicted" in document.text


def test_the_page_says_how_the_words_were_found(make: Make) -> None:
    text = check(page(make(rows=30))).text
    assert "when the word is cut out (occlusion)" in text and "gradients" not in text


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal"])
def test_the_mistakes_shown_are_some_of_those_counted(make: Make, kind: Kind) -> None:
    """Of several labels each that is wrong is a mistake, not each text."""
    found = make(kind, ["a", "b", "c"], rows=60)
    assert found.measured is not None
    wrong = int(np.sum(found.measured.answers != found.measured.labels))
    what = "labels wrongly answered or left out" if kind == "multi" else "wrong answers"
    assert f"4 of {wrong} {what} on the test rows" in check(page(found)).text
    if kind == "multi":
        assert wrong > int((~found.measured.right).sum())


def test_a_loss_is_told_in_its_unit(make: Make) -> None:
    """Nats, but for the squared error of a classifier of real values."""
    for kind, squared in (("single", 0), ("real", 1)):
        text = check(page(make(kind, rows=30))).text
        assert text.count("Loss, squared error as a share of the variance") == squared
        assert text.count("Loss, nats") == 2 - squared  # the language model's, and the classifier's
        kept = re.findall(r"were kept \(ringed\): [\d.]+ (of the variance|nats) on", text)
        assert set(kept) == {"nats", *["of the variance"] * squared}


def test_a_language_model_has_a_page_too(make: Make) -> None:
    found = make(rows=20)
    figures = {"forward": {"validation": {"loss": 4.2, "perplexity": 66.7}}}
    bundle = replace(found.bundle, kind="language-model", labels=[], metrics=figures)
    alone = replace(found, bundle=bundle, train=None, valid=None, measured=None, figures=None)
    alone = replace(alone, baseline=None, mistakes=[], doubts=None, lengths=[])
    document = check(page(alone))
    assert "A language model of" in document.text and "66.70" in document.text
    assert [a["id"] for a in document.every("section")] == ["learning", "made", "again"]
