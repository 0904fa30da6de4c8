"""Imports run one way."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def lint_imports(folder: Path, *sources: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports as run; "
    return subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(run(no_cache=True))"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(s) for s in sources)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_layers_of_the_house_hold() -> None:
    ended = lint_imports(ROOT, ROOT / "src", ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken" in ended.stdout


def test_an_import_against_the_layers_is_found(tmp_path: Path) -> None:
    package = tmp_path / "house"
    (package / "upper").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "upper" / "__init__.py").touch()
    (package / "lower.py").write_text("import house.upper\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["house"]\n[[tool.importlinter.contracts]]\n'
        'name = "n"\ntype = "layers"\ncontainers = ["house"]\nlayers = ["upper", "lower"]\n'
    )
    assert lint_imports(tmp_path, tmp_path).returncode == 1


SOURCES = sorted([*(ROOT / "src" / "twinbeam").rglob("*.py"), *(ROOT / "sim_iocs").rglob("*.py")])


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=[str(p.relative_to(ROOT)) for p in SOURCES])
def test_a_module_says_what_it_is_and_is_a_room_not_a_hall(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "has no docstring"
    assert len(text.splitlines()) <= 400


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [path for path in SOURCES if path.name in drawers] == []


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def bound(tree: ast.Module) -> set[str]:
    """Names a module defines or imports at its top level."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as the linter sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


WITH_ALL = [path for path in SOURCES if exported(tree_of(path)) is not None]


@pytest.mark.parametrize("path", WITH_ALL, ids=[str(p.relative_to(ROOT)) for p in WITH_ALL])
def test_what_a_module_exports_is_sorted_and_there(path: Path) -> None:
    tree = tree_of(path)
    names = exported(tree)
    assert names is not None
    assert names == sorted(set(names), key=order)
    lazy = any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body)
    assert lazy or set(names) <= bound(tree)


CORE = ("physics", "tpx3", "photons", "pairs", "images", "pipeline", "simulate", "live", "view")


@pytest.mark.parametrize("package", CORE)
def test_a_package_re_exports_the_public_names_of_its_modules(package: str) -> None:
    folder = ROOT / "src" / "twinbeam" / package
    flat = set(exported(tree_of(folder / "__init__.py")) or ())
    assert flat
    imported = [
        node
        for node in ast.walk(tree_of(folder / "__init__.py"))
        if isinstance(node, ast.ImportFrom)
    ]
    assert {node.level for node in imported} == {0}
    others = {p.stem: exported(tree_of(p)) for p in folder.glob("[!_]*.py")}
    assert [name for name, names in others.items() if names is None] == []
