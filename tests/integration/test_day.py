"""Some minutes of `benchmarks.day`, and proof that it would see what it looks for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks import day
from benchmarks.day import Course, Sample, StorySource, play
from journeymap.model.time import MINUTE, SECOND
from journeymap.runtime import pipeline as pipelines
from journeymap.runtime import worker

SHORT = Course(
    length=2 * MINUTE, warm_up=3 * MINUTE, retention=MINUTE, evict_interval=10 * SECOND, journal=50_000, growth=1.0
)
QUICK = SHORT._replace(length=MINUTE, warm_up=2 * MINUTE, growth=0.2)


@pytest.fixture(autouse=True)
def _small_and_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "SEGMENT", 32 << 10)
    monkeypatch.setattr(worker, "TIDY_INTERVAL", 20)


def test_minutes_of_the_story_are_kept_as_they_should_be(tmp_path: Path) -> None:
    heard: list[Sample] = []
    played = play(SHORT, tmp_path, heard.append, every=MINUTE)
    assert played.wrong == []
    assert played.events > 9_000
    assert played.samples == heard
    last = heard[-1]
    assert (last.at - day.BEGIN, len(heard)) == (5 * MINUTE, 5)
    assert last.evicted > 500
    assert last.journal < 200_000 < played.events * 300  # as many bytes at least went through it
    assert "MB" in day.spelled(last, heard[-2])


def wrong_with(
    monkeypatch: pytest.MonkeyPatch, folder: Path, part: Any, name: str, defect: Any, course: Course = QUICK
) -> str:
    """What a run says of a defect put in on purpose."""
    monkeypatch.setattr(part, name, defect)
    return " ".join(play(course, folder, lambda _: None, every=MINUTE).wrong)


def test_a_lost_event_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    decode = pipelines.decode_frame

    def loses(frame: bytes, *more: Any) -> Any:
        return ([], []) if b"disposition.completed" in frame and b"7" in frame[-9:] else decode(frame, *more)

    said = wrong_with(monkeypatch, tmp_path, pipelines, "decode_frame", loses)
    assert "are not in the store" in said


def test_a_retention_that_is_not_applied_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = wrong_with(monkeypatch, tmp_path, pipelines.Pipeline, "_evict", lambda *_: None)
    assert "journeys are past it" in said


def test_a_journal_without_bounds_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = wrong_with(monkeypatch, tmp_path, day.Journal, "forget", lambda *_: 0, SHORT)
    assert "the journal's bound was not applied" in said


def test_a_leaked_descriptor_and_grown_memory_are_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept: list[Any] = []
    tell = StorySource.status

    def leaks(source: StorySource) -> Any:
        kept.append(os.open("/dev/null", os.O_RDONLY))
        kept.append(b"x" * (8 << 20))
        return tell(source)

    try:
        # A small share: what is leaked here is little beside what the process of many tests is already.
        said = wrong_with(monkeypatch, tmp_path, StorySource, "status", leaks, QUICK._replace(growth=0.005))
    finally:
        for item in kept:
            if isinstance(item, int):
                os.close(item)
    assert "descriptors have grown" in said
    assert "memory has grown" in said
