"""House rules that a reader would otherwise have to look for."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(
    [*(ROOT / "journeymap").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
)
MODULES = [path for path in CODE if path.is_relative_to(ROOT / "journeymap")]
PAGE = sorted(path for suffix in ("*.mjs", "*.js", "*.css") for path in (ROOT / "assets").rglob(suffix))
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

# Imports all modules in one process and reports what a mere import must not do.
IMPORT_ALL = """
import sys, threading
sys.dont_write_bytecode = True
doing = []
WRITES = {"socket.connect", "socket.bind", "subprocess.Popen", "os.mkdir", "os.remove", "os.rename", "sqlite3.connect",
          "os.system", "os.fork", "os.posix_spawn"}
def watch(event, arguments):
    if event in WRITES:
        doing.append(f"{event} {arguments}")
    elif event == "open":
        path, mode, flags = arguments
        if any(letter in str(mode or "") for letter in "wax+") and str(path) != "/dev/null":
            doing.append(f"open {path} {mode}")
sys.addaudithook(watch)
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
    threads = [thread.name for thread in threading.enumerate()]
    if len(threads) > 1 or doing:
        print(name, threads, doing)
        sys.exit(1)
"""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES + PAGE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_style_makes_every_element_depend_on_what_is_in_it() -> None:
    """`:has()` on no class or element of its own: with each change the browser then looks at all styles of the page."""
    for path in PAGE:
        if path.suffix == ".css":
            assert re.findall(r"(?<![\w\])]):has\(", path.read_text(encoding="utf-8")) == [], path.name


def test_app_py_is_short() -> None:
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) < 20


def test_no_name_says_nothing() -> None:
    assert [path for path in CODE + PAGE if path.stem.lower().rstrip("_") in VAGUE] == []
    assert [path for path in (ROOT / "journeymap").rglob("*") if path.is_dir() and path.name in VAGUE] == []


def test_importing_starts_nothing() -> None:
    names = [name_of(path) for path in MODULES if path.stem != "__main__"]
    command = [sys.executable, "-c", IMPORT_ALL, *names, "app"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_module_says_what_it_is() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert not text or text.startswith('"""'), path


def test_pinned_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            assert not line or line.startswith(("#", "-r ")) or re.match(r"[A-Za-z0-9_.-]+==[\w.]+(; .+)?$", line), line


def test_what_the_package_needs_is_pinned_in_a_version_that_fits() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in project["dependencies"]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), text


def test_no_place_of_this_machine_is_in_the_code() -> None:
    # Spelled in pieces, or this file would be the first to fail.
    places = ["/" + "work/", "/" + "root/", "/" + "opt/jm", "/" + "home/", "pypi" + ".org"]
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".sh", ".mjs", ".js", ".css", ".json", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert [place for place in places if place in text] == [], name
