"""The laws of the house, read off the syntax trees of the source: see CONTRIBUTING.md."""

import ast
import builtins
import graphlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import ulmfit

SOURCE = Path(__file__).resolve().parents[1] / "src" / "ulmfit"

# Rooms by floor. An import goes down, or stays on its floor where that is open and acyclic.
FLOORS = {
    0: {"errors", "extras", "device", "files", "figures", "wording", "budget", "compiled"},
    1: {"text", "data", "model", "training", "metrics", "targets", "baseline", "demo"},
    2: {
        *{"corpus", "bundle", "manifest", "remote", "compact", "run", "budgeting"},
        *{"tasks", "reading", "stream_task", "resident", "language_modelling"},
    },
    3: {
        *{"stages", "presets", "settings", "predict", "vectors", "pretrained"},
        *{"explanations", "label_errors"},
    },
    4: {
        *{"suggestions", "cleaning"},
        *{"pipeline", "estimator", "report", "serve", "export"},
        *{"rate_finding", "tuning", "cross_validation", "tracking", "hub"},
    },
    5: {"cli", "__main__"},
}
# On these floors no room knows its neighbour: each can be read, and on floor 4 deleted, alone.
WALLED_FLOORS = {1, 4}
OPEN_TO_NEIGHBOURS = {"pipeline"}  # the faces stand on it; it knows none of them
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}

PUBLIC_NAMES = {  # what `ulmfit/__init__.py` promises
    *{"explain", "suggest", "suggest_file", "clean", "clean_file"},
    *{"pretrain", "finetune", "train", "resume", "evaluate", "write_report"},
    *{"load", "Bundle", "Predictor", "InputError", "__version__"},
    *{"perplexity", "generate", "predict_file", "models", "open_pretrained"},
    *{"Source", "Machine", "PretrainOptions", "FinetuneOptions", "TrainOptions"},
    *{"ULMFiTClassifier", "ULMFiTRegressor"},
}

ALLOWED_BASES = {
    *{"nn.Module", "torch.nn.Module", "Function", "torch.autograd.Function", "autograd.Function"},
    *{"Protocol", "NamedTuple", "TypedDict", "Enum", "IntEnum", "StrEnum", "Generic"},
    "Structure",  # of ctypes: what lies in memory, as C declares it
    *{"BaseModel", "BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin"},
    *{
        name
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    },
}
PICKLERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
# What goes through a pipe between a process and one that it started is no file.
PIPES = {SOURCE / "text" / "parallel.py", SOURCE / "text" / "worker.py"}


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or an attribute; of `Generic[T]` the part before the bracket."""
    return re.sub(r"\[.*", "", ast.unparse(node), flags=re.DOTALL)


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 1)}"


@cache
def nodes() -> list[tuple[Path, ast.AST]]:
    return [(path, node) for path, tree in trees().items() for node in ast.walk(tree)]


def module_name(path: Path) -> str:
    parts = ("ulmfit", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, node: ast.AST) -> list[str]:
    """The modules a statement names, absolute: `from ulmfit import device` is `ulmfit.device`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        package = module_name(path).split(".")
        up = node.level - (path.name == "__init__.py")
        base = ".".join(package[: len(package) - up] + ([node.module] if node.module else []))
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


@cache
def modules() -> set[str]:
    return {module_name(path) for path in trees()}


@cache
def house_imports() -> list[tuple[Path, ast.AST, str]]:
    """Every import of one of our modules by another, except those of the front door."""
    return [
        (path, node, target)
        for path, node in nodes()
        if path != SOURCE / "__init__.py"
        for target in imported(path, node)
        if target in modules() and target not in ("ulmfit", module_name(path))
    ]


def room(module: str) -> str:
    return module.split(".")[1]


def test_every_room_has_a_floor() -> None:
    rooms = {room(name) for name in modules() if name != "ulmfit"}
    assert rooms <= FLOOR_OF.keys(), f"give these a floor in FLOORS: {rooms - FLOOR_OF.keys()}"


def test_imports_only_go_down() -> None:
    wrong = []
    for path, node, target in house_imports():
        here, there = room(module_name(path)), room(target)
        above, below = FLOOR_OF[here], FLOOR_OF[there]
        walled = above == below and here != there and above in WALLED_FLOORS
        walled = walled and there not in OPEN_TO_NEIGHBOURS
        if below > above or walled:
            wrong.append(f"{where(path, node)} imports {target} (floor {above} -> {below})")
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path, _, target in house_imports():
        graph.setdefault(module_name(path), set()).add(target)
    packages = {name for name in modules() if any(m.startswith(f"{name}.") for m in modules())}
    for name, targets in graph.items():  # a package is its own parts' parent, not their user
        targets -= {p for p in packages if name.startswith(f"{p}.")}
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {error.args[1]}")


def test_stages_do_not_import_each_other() -> None:
    stages = {"ulmfit.stages.pretrain", "ulmfit.stages.finetune", "ulmfit.stages.classify"}
    wrong = [
        f"{where(path, node)} imports {target}"
        for path, node, target in house_imports()
        if module_name(path) in stages and target in stages
    ]
    assert not wrong, "\n".join(wrong)


def test_words_and_rows_do_without_torch() -> None:
    torchless = ("ulmfit.text", "ulmfit.data", "ulmfit.metrics", "ulmfit.targets")
    wrong = [
        where(path, node)
        for path, node in nodes()
        if any(name.split(".")[0] == "torch" for name in imported(path, node))
        if module_name(path).startswith(torchless)
    ]
    assert not wrong, "\n".join(wrong)


def test_there_is_no_room_for_everything() -> None:
    assert not [p for p in trees() if p.stem in {"utils", "util", "helpers", "common", "misc"}]


def test_no_star_import() -> None:
    wrong = [
        where(path, node)
        for path, node in nodes()
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert not wrong, "\n".join(wrong)


def is_pickle(path: Path, node: ast.AST) -> bool:
    if any(name.split(".")[0] in PICKLERS for name in imported(path, node)):
        return True
    if isinstance(node, ast.ImportFrom) and node.module == "torch":
        return any(alias.name in {"load", "save"} for alias in node.names)
    if isinstance(node, ast.Attribute):
        return dotted(node) in {"torch.load", "torch.save"}
    if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
        return not (isinstance(node.value, ast.Constant) and node.value.value is False)
    return False


def test_nothing_is_pickled() -> None:
    found = [(path, node) for path, node in nodes() if is_pickle(path, node)]
    wrong = [where(path, node) for path, node in found if path not in PIPES]
    assert not wrong, "\n".join(wrong)


def settings_only(tree: ast.Module) -> set[str]:
    """Classes of a file that hold no function: to derive from one inherits no implementation."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not any(isinstance(p, functions) for p in node.body)
    }


def test_no_implementation_is_inherited() -> None:
    wrong = [
        f"{where(path, node)}: class {node.name}({dotted(base)})"
        for path, node in nodes()
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if dotted(base) not in ALLOWED_BASES | settings_only(trees()[path])
    ]
    assert not wrong, "\n".join(wrong)


def test_backward_is_called_in_the_loop_only() -> None:
    callers = {
        str(path.relative_to(SOURCE))
        for path, node in nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "backward"
    }
    assert callers == {"training/loop.py"}


def names_a_device(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.fullmatch(r"(cuda|mps|xpu)(:\d+)?", node.value) is not None
    return isinstance(node, ast.Attribute) and dotted(node) in {"torch.cuda", "torch.mps"}


def test_devices_are_named_in_one_place() -> None:
    places = {str(path.relative_to(SOURCE)) for path, node in nodes() if names_a_device(node)}
    assert places == {"device.py"}


def modules_after(code: str) -> set[str]:
    """The top-level modules loaded in a fresh interpreter after `code`."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return {name.split(".")[0] for name in run.stderr.split()}


HEAVY = {"torch", "sklearn", "pyarrow", "matplotlib", "scipy"}


def test_help_loads_nothing_heavy() -> None:
    if not (SOURCE / "cli" / "__init__.py").exists():
        pytest.skip("there is no command line yet")
    code = (
        "import sys\nsys.argv = ['ulmfit', '--help']\n"
        "from ulmfit.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert not modules_after(code) & HEAVY


def test_the_front_door_loads_nothing_heavy() -> None:
    assert not modules_after("import ulmfit") & HEAVY


def test_public_names() -> None:
    if not (SOURCE / "__init__.py").exists():
        pytest.skip("the package has no front door yet")
    assert set(ulmfit.__all__) == PUBLIC_NAMES
    assert set(dir(ulmfit)) >= PUBLIC_NAMES
    for name in PUBLIC_NAMES:
        assert getattr(ulmfit, name) is not None
