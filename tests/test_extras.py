"""What needs an extra says so, with the command that installs it."""

import importlib
import sys
from pathlib import Path

import pytest

from ulmfit.errors import InputError
from ulmfit.extras import extra


def test_a_package_that_is_there_is_given() -> None:
    assert extra("json.decoder", "hub", "x") is importlib.import_module("json.decoder")


def test_one_that_is_not_is_told_with_the_command() -> None:
    with pytest.raises(InputError, match=r"`tune` needs .*pip install 'ulmfit\[tune\]'"):
        extra("a_package_that_nobody_has", "tune", "`tune`")


def test_a_package_that_is_broken_inside_says_so_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_a_package.py").write_text("import another_that_nobody_has")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="another_that_nobody_has"):
        extra("half_a_package", "tune", "x")
    sys.modules.pop("half_a_package", None)
