"""The examples in the docstrings run and give what they show."""

import doctest
import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from shrinking import shrink

import ulmfit

SOURCE = Path(ulmfit.__file__).parent
EXAMPLES = {
    ".".join(("ulmfit", *path.relative_to(SOURCE).with_suffix("").parts)): code.count(">>> ")
    for path in sorted(SOURCE.rglob("*.py"))
    if ">>> " in (code := path.read_text("utf8"))
}
NEEDS = {"ulmfit.hub.objects": "datasets"}


@pytest.fixture(scope="module")
def folder(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's files, for examples that write others beside them."""
    copy = tmp_path_factory.mktemp("examples") / "desk"
    shutil.copytree(desk, copy)
    return copy


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_a_module(
    name: str, folder: Path, embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = NEEDS.get(name)
    if needed and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    monkeypatch.chdir(folder)
    shrink(embedded, monkeypatch.setattr)
    module = import_module(name.removesuffix(".__init__"))
    failed, run = doctest.testmod(module)
    assert not failed
    assert run == EXAMPLES[name], "an example stands where nobody runs it"


def test_no_example_is_skipped() -> None:
    assert len(EXAMPLES) > 20
    assert not [path for path in SOURCE.rglob("*.py") if "+SKIP" in path.read_text("utf8")]
