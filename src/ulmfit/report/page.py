"""The report as one HTML file: no script, no network, both themes, any width."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files

from ulmfit.report.examination import Findings
from ulmfit.report.markup import Markup, element, join, shortened, spelled
from ulmfit.report.sections.again import again
from ulmfit.report.sections.data import data
from ulmfit.report.sections.frame import paragraph
from ulmfit.report.sections.learning import learning
from ulmfit.report.sections.made import made
from ulmfit.report.sections.opening import opening
from ulmfit.report.sections.results import results
from ulmfit.report.sections.sets import set_results
from ulmfit.report.sections.trust import trust
from ulmfit.report.sections.values import value_results
from ulmfit.report.sections.wrong import doubted, wrong

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
LINKS = {
    "results": "Results",
    "trust": "Confidence",
    "mistakes": "Mistakes",
    "labels": "Labels",
    "data": "Data",
    "learning": "Learning",
    "made": "Making",
    "again": "Again",
}
RESULTS = {"multi": set_results, "real": value_results}


def page(found: Findings) -> str:
    """The whole file; its first line says that it is HTML."""
    shown = {
        "results": RESULTS.get(found.bundle.target.kind, results)(found),
        "trust": trust(found),
        "mistakes": wrong(found),
        "labels": doubted(found),
        "data": data(found),
        "learning": learning(found),
        "made": made(found),
        "again": again(found),
    }
    body = element(
        "body",
        element("a", "To the results", href="#main", class_="skip"),
        _contents([name for name, section in shown.items() if section is not None]),
        element("main", opening(found), *shown.values(), _foot(), id="main"),
    )
    return "<!doctype html>\n" + element("html", _head(found), body, lang="en").source + "\n"


def _head(found: Findings) -> Markup:
    style = files(__package__).joinpath("style.css").read_text("utf8")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="robots", content="noindex"),
        element("title", f"{shortened(spelled(found.name), 80)} – ulmfit report"),
        Markup(f"<style>{style}</style>"),
    )


def _contents(names: list[str]) -> Markup:
    links = [element("li", element("a", LINKS[name], href=f"#{name}")) for name in names]
    return element("nav", element("ul", *links), aria_label="Sections")


def _foot() -> Markup:
    return element(
        "footer",
        paragraph(
            join(
                f"Made by ulmfit {version('ulmfit')}. This page quotes texts and file names of "
                "the data: think of that before it is passed on."
            )
        ),
    )
