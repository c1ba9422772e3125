"""The import rules of docs/architecture.md, read off the syntax of every module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "journeymap"

LAYERS = (
    {"cli"},
    {"bootstrap"},
    {"web", "runtime", "simulator"},
    {"source", "journal", "store", "readmodel", "export"},
    {"protocol", "decode", "order", "stitch", "view"},
    {"model"},
)
"""Top first. A folder imports from itself and from the layers below it."""

EVERYWHERE = {"settings", "errors"}
EXCEPTIONS = {("readmodel", "journeymap.store.base")}
"""A folder and a module beside it that it may import all the same."""

TOP = {"__init__", "__main__", "testing"}
"""What stands above all layers: entry points, and the fakes that tests use."""

PURE = {"model", "protocol", "decode", "order", "stitch", "view"}
IMPURE_MODULES = {
    "asyncio", "concurrent", "ctypes", "fcntl", "glob", "http", "io", "logging", "mmap", "multiprocessing",
    "os", "pathlib",
    "pickle", "queue", "random", "secrets", "select", "selectors", "shelve", "shutil", "signal", "socket", "sqlite3",
    "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
    "dash", "diskcache", "fastapi", "filelock", "httpx", "plotly", "pyarrow", "uvicorn", "websocket", "websockets",
}  # fmt: skip
PURE_ALL_THE_SAME = "urllib.parse"
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}
IMPURE_METHODS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
MODULES = sorted(PACKAGE.rglob("*.py"))

ASSETS = ROOT / "assets"
PAGE_LAYERS = (
    {"."},
    {"bar", "journey", "table", "operations", "commands"},
    {"wall"},
    {"chart"},
    {"filters", "standing"},
    {"state"},
    {"base"},
)
"""The folders of `assets/`, top first."""
PAGE_MODULES = sorted(path for path in ASSETS.rglob("*.mjs") if "vendor" not in path.parts)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def folder_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that is imported anywhere in `tree`, also inside functions; names of a package count as modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def level_of(folder: str) -> int:
    return next(level for level, folders in enumerate(LAYERS) if folder in folders)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    folder = folder_of(name_of(path))
    if folder in TOP:
        return
    wrong = []
    for imported, line in imports(ast.parse(path.read_text(encoding="utf-8"))):
        if not imported.startswith("journeymap."):
            continue
        target = folder_of(imported)
        if target == folder or target in EVERYWHERE or target == "__version__":
            continue
        if any(folder == owner and imported.startswith(module) for owner, module in EXCEPTIONS):
            continue
        if folder in EVERYWHERE or level_of(target) <= level_of(folder):
            wrong.append(f"{path.relative_to(ROOT)}:{line} imports {imported}")
    assert wrong == []


@pytest.mark.parametrize("path", [path for path in MODULES if folder_of(name_of(path)) in PURE], ids=name_of)
def test_pure_folders_touch_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [
        f"{line}: imports {name}"
        for name, line in imports(tree)
        if name.split(".")[0] in IMPURE_MODULES and not name.startswith(PURE_ALL_THE_SAME)
    ]
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                wrong.append(f"{node.lineno}: calls {name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (owner, name) in IMPURE_METHODS:
                wrong.append(f"{node.lineno}: calls {owner}.{name}")
            case ast.AsyncFunctionDef() | ast.Await():
                wrong.append(f"{node.lineno}: is asynchronous")
    assert wrong == []


def page_level(path: Path) -> int:
    folder = str(path.parent.relative_to(ASSETS))
    return next(level for level, folders in enumerate(PAGE_LAYERS) if folder in folders)


@pytest.mark.parametrize("path", PAGE_MODULES, ids=lambda path: str(path.relative_to(ASSETS)))
def test_modules_of_the_page_import_down_only(path: Path) -> None:
    wrong = []
    for target in re.findall(r'(?:from |import\()"(\.[^"]+)"', path.read_text(encoding="utf-8")):
        imported = (path.parent / target).resolve()
        assert imported.is_file(), target
        if imported.parent != path.parent and page_level(imported) <= page_level(path):
            wrong.append(target)
    assert wrong == []


def test_datetime_stays_where_people_and_platforms_write_it() -> None:
    """Everywhere else in the pure folders a time is a whole number of milliseconds."""
    for path in MODULES:
        folder = folder_of(name_of(path))
        if folder in PURE - {"decode"} and path.name not in ("labels.py", "stamps.py"):
            names = [name for name, _ in imports(ast.parse(path.read_text(encoding="utf-8")))]
            assert not any(name.startswith("datetime") for name in names), path


def test_the_simulator_shares_no_code_with_the_client_side() -> None:
    """It could otherwise share its mistakes."""
    for path in (PACKAGE / "simulator").rglob("*.py"):
        for imported, _ in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if imported.startswith("journeymap."):
                assert folder_of(imported) in {"simulator", *EVERYWHERE}, f"{path.name} imports {imported}"


def test_every_folder_has_its_layer() -> None:
    known = set().union(*LAYERS) | EVERYWHERE | TOP
    found = {folder_of(name_of(path)) for path in MODULES}
    assert found <= known
