"""A reader passes the suite of stores too: what a store writes can be read through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from journeymap.store.base import Store
from journeymap.store.disk import open_disk_reader, open_disk_store
from tests.contract.test_store import StoreSuite


class _ThroughReader:
    """Writes through the store, reads through a reader that was opened before there was one."""

    def __init__(self, path: Path) -> None:
        self.reader = open_disk_reader(path, source="s", environment="e")
        assert self.reader.head() == 0
        self.writer = open_disk_store(path, source="s", environment="e", now=1)

    def __getattr__(self, name: str) -> object:
        return getattr(self.writer if name in {"commit", "write_documents", "take_commands"} else self.reader, name)

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


class TestDiskReader(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        both = _ThroughReader(tmp_path / "store")
        yield both  # type: ignore[misc]
        both.close()
