"""The one door to packages that come with an extra: there, or the command that installs them."""

from __future__ import annotations

import importlib
from typing import Any

from ulmfit.errors import InputError


def extra(package: str, name: str, what: str) -> Any:
    """The package, imported.

    Args:
        package: as it is imported; a dotted name gives the inner module.
        name: of the extra in pyproject.toml.
        what: needs it, for the message.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package.partition(".")[0]:
            raise  # a defect of its own, not a package that is missing
        raise InputError(f"{what} needs the extra [{name}]: pip install 'ulmfit[{name}]'") from None
