"""How the pages of this folder become a site: `make docs`."""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

import ulmfit

sys.path.insert(0, str(Path(__file__).parent / "tools"))

project = "ulmfit"
author = "the authors of ulmfit"
release = version = ulmfit.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "command_help",
    "preset_values",
]
exclude_patterns = ["tools"]
myst_heading_anchors = 3  # a link may lead to a heading: page.md#its-words

html_theme = "furo"
html_title = f"ulmfit {release}"
html_show_copyright = False
html_copy_source = False

default_role = "code"  # docstrings write `name` for code
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False


def setup(app: Sphinx) -> None:
    """Leave out what scikit-learn adds to every estimator for its metadata routing."""
    app.connect(
        "autodoc-skip-member",
        lambda app, what, name, *rest: True if re.fullmatch(r"set_\w+_request", name) else None,
    )
