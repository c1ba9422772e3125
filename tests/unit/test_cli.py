from __future__ import annotations

import importlib
import json
import logging
import os
import re
import subprocess
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import journeymap
from journeymap.cli import COMMANDS, main
from journeymap.cli import journeymap as group
from journeymap.cli.output import opened
from journeymap.errors import InputError, RefusedError
from journeymap.model.event import Event
from journeymap.settings import Settings

LINE = b'{"eventId":"e1","type":"interaction.created","timestamp":1760000000000,"payload":{"interactionId":"i1"}}\n'


class Composition(types.ModuleType):
    """Stands in for journeymap.bootstrap and keeps what it was called with."""

    def __init__(self) -> None:
        super().__init__("journeymap.bootstrap")
        self.calls: list[tuple[str, Settings]] = []
        self.events: list[Event] = []
        self.fails: Exception | None = None
        self.recording = self  # what `record` needs is a module of its own

    def note(self, name: str, settings: Settings) -> None:
        self.calls.append((name, settings))
        if self.fails:
            raise self.fails

    def run(self, settings: Settings, *, open_browser: bool) -> None:
        self.note(f"run {open_browser}", settings)

    def ingest(self, settings: Settings) -> None:
        self.note("ingest", settings)

    def serve(self, settings: Settings) -> None:
        self.note("serve", settings)

    def record(self, settings: Settings, out: Path, *, kept: bool) -> None:
        self.note(f"record {out}{' with the journal' if kept else ''}", settings)

    def stitch_events(self, settings: Settings, events: Iterable[Event], as_of: int | None) -> Any:
        self.note(f"stitch {as_of}", settings)
        self.events = list(events)
        count = len(self.events)
        return types.SimpleNamespace(
            lines=iter([b"{}"] * count), events=count, duplicates=1, conflicting=0, journeys=count
        )

    def import_events(self, settings: Settings, events: Iterable[Event]) -> Any:
        self.note("import", settings)
        self.events = list(events)
        return types.SimpleNamespace(new=len(self.events), duplicates=0, expired=0)


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Composition:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("JOURNEYMAP_")]:
        monkeypatch.delenv(variable)
    stand_in = Composition()
    monkeypatch.setitem(sys.modules, "journeymap.bootstrap", stand_in)
    monkeypatch.setattr(journeymap, "bootstrap", stand_in, raising=False)
    (tmp_path / "events.jsonl").write_bytes(LINE)
    return stand_in


def call(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capfd.readouterr()
    return code, out, err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_teaches(name: str) -> None:
    context = click.Context(group)
    command = group.get_command(context, name)
    assert command is not None
    assert command.name == name
    text = command.get_help(click.Context(command, info_name=name))
    assert "Example" in text
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, option.name


def test_help_does_not_import_what_commands_need() -> None:
    code = "import sys; from journeymap.cli import main; main(['--help']); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Commands:" in run.stdout
    loaded = set(run.stdout.splitlines()[-1].split())
    assert not loaded & {"pydantic", "rich", "dash", "pyarrow", "msgspec", "httpx", "uvicorn"}


def test_no_arguments_shows_help(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capfd)
    assert (code, err) == (0, "")
    assert "journeymap run" in out


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["rnu"], 2, "No such command 'rnu'"),
        (["run", "--prot", "1"], 2, "`journeymap run --help`"),
        (["run", "--port", "99999"], 2, "PORT = 99999 (command line, --port): allowed is"),
        (["run", "--host", "0.0.0.0"], 2, "loopback"),
        (["run", "--set", "PORT"], 2, "NAME=VALUE"),
        (["run", "--set", "PROT=1"], 2, "did you mean port?"),
        (["run", "--source", "eventstreams"], 2, "CLIENT_ID is not set"),
        (["stitch"], 2, "Missing argument"),
        (["stitch", "nowhere.jsonl"], 1, "cannot open nowhere.jsonl: No such file"),
        (["stitch", "."], 1, "is a directory"),
        (["stitch", "events.jsonl", "--map", "x"], 2, "COLUMN=FIELD"),
        (["stitch", "events.jsonl", "-o", "nowhere/out"], 1, "cannot write nowhere/out"),
        (["import", "nowhere.csv"], 1, "cannot open nowhere.csv"),
        (["record", "-o", "nowhere/out"], 1, "cannot write nowhere/out"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], code: int, hint: str, bootstrap: Composition, capfd: pytest.CaptureFixture[str]
) -> None:
    found, out, err = call(capfd, *arguments)
    assert found == code
    assert out == ""
    assert err.count("\n") == 1
    assert hint in err
    assert "Traceback" not in err


def test_the_traceback_is_shown_on_demand(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--debug", "stitch", "nowhere"], ["stitch", "nowhere", "--debug"]):
        assert "Traceback" in call(capfd, *arguments)[2]


def test_a_defect_is_one_line_too(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    bootstrap.fails = RuntimeError("what\never")
    code, _, err = call(capfd, "run")
    assert code == 1
    assert err == "journeymap: internal error: RuntimeError: what ever; --debug shows where. Please report it.\n"


def test_exit_codes(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    bootstrap.fails = KeyboardInterrupt()  # type: ignore[assignment]
    assert call(capfd, "run")[0] == 130
    bootstrap.fails = RefusedError("refused")
    assert call(capfd, "run") == (1, "", "journeymap: refused\n")


def test_options_become_settings(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(capfd, "run", "--rate", "20", "--seed", "7", "--history", "10m", "--port", "0", "--open")[0] == 0
    name, settings = bootstrap.calls[-1]
    assert name == "run True"
    assert (settings.simulator_rate, settings.simulator_seed, settings.simulator_history) == (20.0, 7, 600_000)
    assert settings.port == 0
    assert settings.idle_after_by_channel["voice"] == 1_200_000
    call(capfd, "run", "--simulator-faults", "throttle=20,heartbeat_loss")
    assert bootstrap.calls[-1][1].simulator_faults == "throttle=20,heartbeat_loss"
    call(capfd, "ingest", "--set", "JOURNEYMAP_IDLE_AFTER__VOICE=1h", "--ingest-port", "0")
    assert bootstrap.calls[-1][1].idle_after_by_channel["voice"] == 3_600_000
    call(capfd, "serve", "--store", "disk:x")
    assert bootstrap.calls[-1][1].store == "disk:x"
    call(capfd, "record", "-o", "out.jsonl")
    assert bootstrap.calls[-1][0] == "record out.jsonl"
    call(capfd, "record", "--all", "-o", "out.jsonl")
    assert bootstrap.calls[-1][0] == "record out.jsonl with the journal"


def test_stitch(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capfd, "stitch", "events.jsonl", "--as-of", "5")
    assert (code, out) == (0, "{}\n")
    assert err.startswith("1 event: 1 journey in ")
    assert err.endswith("(1 duplicate, 0 conflicting, 0 unusable)\n")
    name, settings = bootstrap.calls[-1]
    assert name == "stitch 5"
    assert settings.idle_after_by_channel == {}


def test_stitch_writes_its_file_whole(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(capfd, "stitch", "events.jsonl", "-q", "-o", "out.jsonl") == (0, "", "")
    assert Path("out.jsonl").read_bytes() == b"{}\n"
    bootstrap.fails = InputError("no")
    assert call(capfd, "stitch", "events.jsonl", "-q", "-o", "out.jsonl")[0] == 1
    assert Path("out.jsonl").read_bytes() == b"{}\n"
    assert sorted(path.name for path in Path().iterdir()) == ["events.jsonl", "out.jsonl"]


def test_bad_lines_are_reported_and_good_ones_kept(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    Path("events.jsonl").write_bytes(b"x\n" + LINE + b"y\n")
    code, out, err = call(capfd, "stitch", "events.jsonl")
    assert (code, out) == (0, "{}\n")
    assert err.splitlines()[0] == "events.jsonl: 2 lines not JSON (lines 1, 3)"
    code, out, err = call(capfd, "stitch", "events.jsonl", "--strict")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == "journeymap: events.jsonl: line 1 is not JSON"


def test_import(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text("kind,timestamp,call\ninteraction.created,1760000000000,i1\nx,,i1\n", encoding="utf-8")
    code, out, err = call(
        capfd, "import", "a.csv", "events.jsonl", "--map", "kind=type", "--map", "call=interaction_id"
    )
    assert (code, out) == (0, "")
    assert [event.interaction_id for event in bootstrap.events] == ["i1", "i1"]
    assert err.splitlines()[0].startswith("a.csv: 1 line with a timestamp")
    assert (bootstrap.calls[-1][1].source, bootstrap.calls[-1][1].store) == ("file:a.csv", "disk:data/")
    call(capfd, "import", "events.jsonl", "--source", "simulator")
    assert bootstrap.calls[-1][1].store == "disk:data/simulated/"
    assert err.splitlines()[1].startswith("2 new events, 0 duplicates, 0 expired, 1 rejected, in ")


def test_config(bootstrap: Composition, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEYMAP_CLIENT_SECRET", "hunter2")
    code, out, _ = call(capfd, "config", "--json", "--set", "PORT=1")
    found = json.loads(out)
    assert code == 0
    assert "hunter2" not in out
    assert (found["CLIENT_SECRET"]["value"], found["CLIENT_SECRET"]["from"][:20]) == ("******", "environment variable")
    assert (found["PORT"]["value"], found["IDLE_AFTER__EMAIL"]["value"]) == ("1", "4h")
    code, out, _ = call(capfd, "config")
    assert "PORT\t8050\tdefault\n" in out
    assert "hunter2" not in out


def test_output_to_what_is_no_file(tmp_path: Path) -> None:
    with opened(Path(os.devnull)) as stream:
        stream.write(b"x")
    with pytest.raises(InputError, match="Is a directory"), opened(tmp_path):
        pass


def test_python_m_journeymap_and_a_closed_pipe(tmp_path: Path) -> None:
    root = Path(journeymap.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = f'"{sys.executable}" -m journeymap config --json | head -c 1'
    run = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_packages_that_are_missing_are_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    start = importlib.import_module("journeymap.__main__").start
    monkeypatch.setitem(sys.modules, "journeymap.cli", None)
    assert start() == 1
    assert "pip install -r requirements.txt" in capfd.readouterr().err


@pytest.fixture
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("_root_logger")
def test_logs_for_machines_and_for_people(bootstrap: Composition, capfd: pytest.CaptureFixture[str]) -> None:
    call(capfd, "run", "--log-format", "json", "--log-level", "warning")
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("journeymap.x").exception("two\nlines")
    logging.getLogger("journeymap.x").info("unheard")
    entry = json.loads(capfd.readouterr().err)
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "journeymap.x", "two\nlines")
    assert "ValueError: no" in entry["traceback"]
    call(capfd, "run")
    logging.getLogger("journeymap.x").info("heard")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z info journeymap\.x: heard\n", capfd.readouterr().err)
