"""How long work tells how far it is: at a terminal, and where nobody looks."""

from __future__ import annotations

import os
import sys

import pytest

from journeymap.cli.progress import with_steps
from journeymap.runtime.work import Progress, Tell

SAID = {"Waiting": "Stop ingest now."}


def work(tell: Tell) -> None:
    tell(Progress("Copying", 10_000_000, 40_000_000))
    tell(Progress("Copying", 40_000_000, 40_000_000))
    tell(Progress("Folding", 100, 400, "journeys"))
    tell(Progress("Folding", 300, 400, "journeys"))
    for _ in range(3):
        tell(Progress("Waiting"))


@pytest.mark.parametrize("quiet", [True, False])
def test_in_a_script_only_what_has_to_be_done_is_said(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with with_steps(quiet=quiet, said=SAID) as tell:
        work(tell)
    assert capsys.readouterr().err == "Stop ingest now.\n"


def test_at_a_terminal_each_step_has_its_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with with_steps(quiet=False, said=SAID) as tell:
            work(tell)
        shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert shown.index("Copying") < shown.index("Folding") < shown.index("Stop ingest now.") < shown.index("Waiting")
    assert shown.count("Stop ingest now.") == 1
