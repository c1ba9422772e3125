"""Documentation that fails the build when it is missing or wrong."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path

import pytest

from journeymap.bootstrap.doctor import checks
from journeymap.cli import COMMANDS
from journeymap.model.event import STREAM_TYPES
from journeymap.model.journey import CHANNELS, Kind, State
from journeymap.settings import in_force, load, table

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def rows(path: Path) -> dict[str, tuple[str, ...]]:
    """The rows of all tables of a page whose first cell is one code span, by that code."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and (match := re.fullmatch(r"`([^`]+)`", cells[0])):
            found[match[1]] = tuple(cells[1:])
    return found


def test_every_setting_is_documented_with_its_default() -> None:
    documented = rows(DOCS / "settings.md")
    settings = {row.name: row for row in table()}
    assert [name for name in documented if name in settings] == list(settings), "the table's order is the code's"
    assert set(documented) - set(settings) == {name for name in documented if "__" in name}
    for name, row in settings.items():
        default, text = documented[name]
        assert default == (f"`{row.default}`" if row.default else ""), name
        assert text == row.help, name


def test_shipped_time_outs_are_documented() -> None:
    documented = rows(DOCS / "settings.md")
    shipped = {row.name: row.value for row in in_force(load()) if "__" in row.name}
    assert {name: cells[0].strip("`") for name, cells in documented.items() if "__" in name} == shipped


def test_the_example_file_is_what_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "journeymap.toml.example").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shipped = load()
    (tmp_path / "journeymap.toml").write_text(text, encoding="utf-8")
    found = load()
    assert found.idle_after_by_channel == shipped.idle_after_by_channel
    assert found.close_after_by_channel == shipped.close_after_by_channel
    for name in tomllib.loads(text)["environments"]:
        load({"environment": name})


def test_the_first_start_of_the_operations_page_is_with_settings_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DOCS / "ops" / "README.md").read_text(encoding="utf-8")
    (settings,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    named = re.sub(r'client_secret_file = ".*"', 'client_secret_file = "secret"', textwrap.dedent(settings))
    (tmp_path / "journeymap.toml").write_text(named, encoding="utf-8")
    assert load().missing() == []


def test_services_start_commands_that_exist() -> None:
    for path in (DOCS / "ops").glob("*.service"):
        (command,) = re.findall(r"^ExecStart=\S+/journeymap (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert command in COMMANDS


def test_every_state_kind_type_and_channel_is_documented() -> None:
    text = (DOCS / "stitching.md").read_text(encoding="utf-8")
    for word in (*State, *Kind, *STREAM_TYPES, *CHANNELS):
        assert f"`{word}`" in text or f"| {word} |" in text or re.search(rf"\b{word}\b", text), word


def test_every_command_is_documented() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"## `journeymap {name}" in text, name


def test_every_check_of_doctor_is_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {
        "source": "simulator,eventstreams,notifications,eventbridge,file:x",
        "eventbridge_queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/events",
        "login_url": "https://a.example",
        "api_url": "https://a.example",
        "stream_url": "wss://a.example",
        "alert_url": "https://a.example",
    }
    with checks(load(settings), 1_000) as made:
        there = list(dict.fromkeys(check.name for check in made))
    documented = rows(DOCS / "ops" / "doctor.md")
    assert sorted(name for name in documented if name not in ("ok", "warn", "FAIL", "skip")) == sorted(there)


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *DOCS.rglob("*.md")], ids=lambda path: str(path.relative_to(ROOT))
)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (DOCS / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 7


def test_pages_that_code_refers_to_exist() -> None:
    for folder, suffix in (("journeymap", "*.py"), ("tests", "*.py"), ("assets", "*.mjs"), ("benchmarks", "*.py")):
        for path in (ROOT / folder).rglob(suffix):
            for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8")):
                assert (ROOT / page).exists(), f"{path.relative_to(ROOT)} refers to {page}"
