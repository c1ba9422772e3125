"""What repeats is folded, whoever logs it, and nothing is left out without being counted."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from journeymap.runtime.logs import MAX_FOLDED, SILENCE, Folding, JsonLines, TextLines

ROOT = Path(__file__).resolve().parents[3]


class Bench:
    """A logger of its own with the handler, a clock to set, and what it has written."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.now = 0.0
        self.handler = Folding(lambda: self.now)
        self.handler.setFormatter(formatter)
        self.handler.setStream(io.StringIO())
        self.log = self.logger("tests.x")

    def logger(self, name: str) -> logging.Logger:
        """A logger that writes here and nowhere else."""
        log = logging.getLogger(name)
        log.propagate = False
        log.setLevel(logging.INFO)
        log.handlers[:] = [self.handler]
        return log

    def take(self) -> list[str]:
        """The lines since the last time."""
        lines: list[str] = self.handler.stream.getvalue().splitlines()
        self.handler.setStream(io.StringIO())
        return lines


@pytest.fixture
def bench() -> Bench:
    return Bench(TextLines("%(level)s %(message)s"))


def test_the_same_error_is_said_once_and_counted(bench: Bench) -> None:
    for _ in range(5):
        bench.log.error("no route to %s", "host")
        bench.log.warning("something else")
        bench.now += 1
    assert bench.take() == ["error no route to host", "warning something else"]
    bench.now = SILENCE + 1
    bench.log.error("no route to %s", "host")
    assert bench.take() == [
        "error no route to host (4 more times)",
        "warning something else (4 more times)",
        "error no route to host",
    ]


def test_what_was_left_out_is_said_with_the_next_line_of_whatever_kind(bench: Bench) -> None:
    bench.log.error("lost")
    bench.log.error("lost")
    bench.now += SILENCE
    bench.log.info("found")
    assert bench.take() == ["error lost", "error lost (1 more times)", "info found"]
    bench.log.error("lost")
    assert bench.take() == ["error lost"], "a new beginning"


def test_the_end_says_what_is_left_to_say(bench: Bench) -> None:
    for _ in range(3):
        bench.log.error("100% lost")
    bench.handler.close()
    bench.handler.close()
    assert bench.take() == ["error 100% lost", "error 100% lost (2 more times)"]


def test_what_only_informs_and_what_differs_is_not_folded(bench: Bench) -> None:
    other = bench.logger("tests.y")
    for _ in range(2):
        bench.log.info("again")
    bench.log.error("again")
    bench.log.warning("again")
    other.error("again")
    try:
        raise ValueError("one")
    except ValueError:
        bench.log.exception("again")
    assert [line for line in bench.take() if "again" in line] == [
        *("info again", "info again", "error again", "warning again", "error again", "error again"),
    ]


def test_a_flood_of_different_ones_is_bounded_in_memory_and_counted(bench: Bench) -> None:
    for number in range(3 * MAX_FOLDED):
        bench.log.error("number %d", number)
        bench.log.error("number %d", number)
    bench.handler.close()
    lines = bench.take()
    assert len(lines) == 6 * MAX_FOLDED
    assert sum("(1 more times)" in line for line in lines) == 3 * MAX_FOLDED
    assert len(bench.handler._said) == 0


def test_a_line_cannot_be_forged(bench: Bench) -> None:
    bench.log.error("the platform says: %s", "oops\n2026-01-01 info all is well \x1b[31m\u2028")
    assert bench.take() == [r"error the platform says: oops\n2026-01-01 info all is well \x1b[31m\u2028"]


def test_what_cannot_be_formatted_does_not_end_the_program(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    # Given to the handler itself: pytest's own raises what this one must not.
    bench.handler.handle(logging.LogRecord("tests.x", logging.ERROR, "", 1, "%d", ("not a number",), None))
    assert bench.take() == []
    assert "Logging error" in capsys.readouterr().err


def test_json_has_the_documented_fields() -> None:
    bench = Bench(JsonLines())
    for _ in range(3):
        try:
            raise ValueError("no")
        except ValueError:
            bench.log.exception("two\nlines")
    bench.handler.close()
    first, second = (json.loads(line) for line in bench.take())
    assert list(first) == ["at", "level", "logger", "message", "traceback"]
    assert list(second) == ["at", "level", "logger", "message", "repeated"]
    assert (second["message"], second["repeated"], second["level"]) == ("two\nlines", 2, "error")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", second["at"])
    assert second["at"] >= first["at"]
    text = (ROOT / "docs" / "ops" / "monitoring.md").read_text(encoding="utf-8")
    section = text.split("## Logs\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == {*first, *second}


AT_EXIT = """
import logging
from journeymap.settings import load
from journeymap.runtime.logs import start_logging
start_logging(load({"log_format": "json"}))
for _ in range(5):
    logging.getLogger("anyone").error("lost")
logging.getLogger("httpx").info("GET https://example.org/secret")
"""


def test_the_end_of_the_process_is_an_end() -> None:
    run = subprocess.run([sys.executable, "-c", AT_EXIT], capture_output=True, text=True, cwd=ROOT, check=True)
    entries = [json.loads(line) for line in run.stderr.splitlines()]
    assert [(entry["logger"], entry.get("repeated")) for entry in entries] == [("anyone", None), ("anyone", 4)]
