"""The surest mistakes with the words that caused them, and the labels that look wrong."""

from __future__ import annotations

from pathlib import PurePath

from ulmfit.report.doubts import Doubt
from ulmfit.report.examination import Findings
from ulmfit.report.excerpts import marked
from ulmfit.report.markup import Child, Markup, element, join, shortened, spelled, text, user
from ulmfit.report.mistakes import Mistake
from ulmfit.report.numbers import percent, plural, whole
from ulmfit.report.sections.frame import folded, paragraph, section

DOUBTS, MORE = 10, 50  # rows shown, and on request


def wrong(found: Findings) -> Markup | None:
    """Nothing where no row was looked at."""
    if found.measured is None:
        return None
    real = found.measured.kind == "real"
    title = "Its largest errors" if real else "Its surest mistakes"
    return section("mistakes", title, *_mistakes(found))


def _mistakes(found: Findings) -> list[Markup]:
    assert found.measured is not None
    name = found.measured.part.name
    if not found.mistakes:
        return [paragraph(f"None among {plural(len(found.measured.labels), 'row')} of {name}.")]
    kind = found.measured.kind
    rows = "test" if name == "test" else "validation" if name == "validation" else spelled(name)
    if kind == "real":
        told = f"The {len(found.mistakes)} answers on the {rows} rows that are farthest off."
        up, down = "upwards", "downwards"
    else:
        of = "labels wrongly answered or left out" if kind == "multi" else "wrong answers"
        of = f"{whole(found.measured.wrong)} {of}"
        told = f"{len(found.mistakes)} of {of} on the {rows} rows, the surest first."
        up, down = "for it", "against it"
    intro = paragraph(
        f"{told} Words are marked that moved the answer: ",
        element("mark", up, class_="for", style="--strength:80%"),
        " (a solid line) or ",
        element("mark", down, class_="against", style="--strength:80%"),
        " (a dotted one), the darker the farther it moves when the word is cut out (occlusion).",
    )
    return [intro, *(_mistake(mistake, kind == "real") for mistake in found.mistakes)]


def _mistake(mistake: Mistake, is_value: bool) -> Markup:
    if is_value:
        told = join("Answered ", element("strong", mistake.told), ", true ", mistake.true)
    else:
        told = _labels(mistake)
    return element(
        "article",
        element("p", told, class_="told"),
        marked(mistake.text, mistake.words),
        element("p", _place(mistake.place), class_="place"),
        class_="mistake",
    )


def _labels(mistake: Mistake) -> Markup:
    sure = percent(mistake.told_probability)
    answered = element("strong", user(mistake.told, 60))
    if mistake.missed:
        told = join("Left out ", answered, f" ({sure})")
    else:
        told = join("Answered ", answered, f" {sure}")
    truth: Child = user(mistake.true, 60)
    chance = mistake.true_probability
    return join(told, ", labelled ", truth, f" {percent(chance)}" if chance is not None else None)


def _place(place: str) -> Markup:
    """The file's name and the line; the whole path is a tooltip."""
    return element("bdi", spelled(shortened(PurePath(place).name, 80)), title=spelled(place[:500]))


def doubted(found: Findings) -> Markup | None:
    """Rows whose label is probably wrong."""
    if found.doubts is None:
        return None
    return section("labels", "Labels that look wrong", *_doubts(found.doubts))


def _doubts(doubts: list[Doubt]) -> list[Markup]:
    if not doubts:
        return [paragraph("None: no label is contradicted surely enough.")]
    intro = paragraph(
        f"{plural(len(doubts), 'row')} whose label this model and TF-IDF together contradict. Some "
        "are wrong labels, some are texts that both take wrongly: read them before anything else "
        "is tuned. ",
        element("code", "ulmfit clean"),
        " looks further.",
    )
    shown = [intro, _listed(doubts[:DOUBTS])]
    if len(doubts) > DOUBTS:
        more = doubts[DOUBTS : DOUBTS + MORE]
        shown.append(folded(plural(len(more), "more", "more"), _listed(more)))
    return shown


def _listed(doubts: list[Doubt]) -> Markup:
    return element("ol", *(element("li", *_doubt(doubt)) for doubt in doubts), class_="doubts")


def _doubt(doubt: Doubt) -> tuple[Markup, Markup]:
    told = element(
        "p",
        "Labelled ",
        element("strong", user(doubt.given, 60)),
        ", rather ",
        element("strong", user(doubt.suggested, 60)),
        f" ({percent(doubt.confidence, 0)}); {shortened(doubt.part, 40)}, ",
        _place(doubt.place),
        class_="told",
    )
    return element("p", text(shortened(doubt.text, 240)), class_="quote", dir="auto"), told
