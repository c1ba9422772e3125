"""What people see while things go wrong for real: the platform, the connection, the ingest process, the store."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from journeymap.protocol.limits import Limits
from journeymap.readmodel.follow import Follower
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime.shelf import fold_record
from journeymap.simulator.server import SimulatedPlatform
from journeymap.view.masking import Viewer
from journeymap.web.viewing import ViewedModel
from tests.eventstreams import Hasty, source_for
from tests.integration.ingest import CLOCK, OPTIONS, Running, Store
from tests.integration.process import Command, until
from tests.web.served import Served

Visit = Callable[..., Page]
HASTY = Limits(ping=200, silence=1_500, proof=8_000)
WORD = "#pause .live-word"


class Stand:
    """A platform that tells a story, ingest with little patience over it, and the page's server, in this process."""

    def __init__(self, directory: Path) -> None:
        self.platform = SimulatedPlatform(rate=20, heartbeat=0.5)
        self._directory = directory

    def __enter__(self) -> Stand:
        self.platform.__enter__()
        store = Store()
        self._source = source_for(self.platform, Hasty(), limits=HASTY)
        self._running = Running(self._directory, store, self._source)
        self._running.__enter__()
        model = ReadModel(store, CLOCK.now, OPTIONS.timeouts, lambda record, raws: fold_record(record, raws, OPTIONS))
        self._follower = Follower(model)
        self._follower.start()
        self.served = Served(ViewedModel(model, Viewer()), clock=CLOCK.now, retry=self._source.retry)
        self.url = self.served.url
        return self

    def __exit__(self, *outcome: Any) -> None:
        self.served.close()
        self._follower.stop()
        self._running.__exit__(*outcome)
        self.platform.__exit__(*outcome)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with Stand(tmp_path) as standing:
        yield standing


def on_operations(page: Page) -> Any:
    """The verdict, on the operations view."""
    if not page.url.endswith("/operations"):
        page.keyboard.press("h")
    return page.locator("#operations-verdict")


def on_wall(page: Page) -> None:
    if page.url.endswith("/operations"):
        page.keyboard.press("h")
    expect(page.locator("#timeline")).to_be_visible()


def test_a_connection_that_dies_without_a_word(stand: Stand, visit: Visit) -> None:
    page = visit(stand.url)
    expect(page.locator(WORD)).to_have_text("LIVE")
    stand.platform.set_faults(fail_handshakes="503")
    stand.platform.act("half_open")
    expect(page.locator(WORD)).to_have_text("NOT LIVE")
    expect(page.locator("#live")).to_contain_text("connection lost since ")
    expect(page.locator("#connection-state")).to_have_text(re.compile("DISCONNECTED|CONNECTING"))
    expect(on_operations(page)).to_contain_text("The source is not connected")
    expect(page.locator("#operations-gaps tbody tr").first).to_contain_text("still open")
    stand.platform.reset_faults()
    expect(on_operations(page)).to_contain_text("All is well")
    row = page.locator("#operations-gaps tbody tr").first
    expect(row).to_contain_text("disconnected")
    expect(row).not_to_contain_text("still open")
    expect(page.locator("#operations-sources .history tbody")).to_contain_text("nothing was heard for 1.5 s")
    on_wall(page)
    expect(page.locator(WORD)).to_have_text("LIVE")
    expect(page.locator("#connection-state")).to_have_text("OPEN")


def test_refused_credentials_until_somebody_tries_again(stand: Stand, visit: Visit) -> None:
    page = visit(stand.url)
    expect(page.locator(WORD)).to_have_text("LIVE")
    stand.platform.refuse_credentials()
    stand.platform.drop_connections()
    expect(page.locator("#live")).to_contain_text("refused since ")
    expect(page.locator(WORD)).to_have_text("NOT LIVE")
    expect(page.locator("#notice")).to_contain_text("No further attempt is made")
    stand.platform.refuse_credentials(False)
    verdict = on_operations(page)
    expect(verdict).to_contain_text("The platform refuses access")
    verdict.get_by_role("button", name="Try again").click()
    expect(verdict).to_contain_text("All is well")
    on_wall(page)
    expect(page.locator(WORD)).to_have_text("LIVE")


def test_unusable_messages_and_left_out_events_are_told(stand: Stand, visit: Visit) -> None:
    page = visit(stand.url)
    expect(page.locator(WORD)).to_have_text("LIVE")
    stand.platform.send(b'{"eventId": "broken"')
    verdict = on_operations(page)
    expect(verdict).to_contain_text("Messages came in that cannot be used (not-json)")
    page.locator("#operations-quarantine summary").click()
    expect(page.locator("#operations-quarantine pre")).to_have_text('{"eventId": "broken"')
    stand.platform.set_faults(throttle=2)
    expect(page.locator("#operations-verdict")).to_contain_text("The source throttles")
    on_wall(page)
    expect(page.locator(WORD)).to_have_text("PARTIAL")
    expect(page.locator("#live")).to_contain_text(re.compile(r"source throttles: [\d,]+ events left out"))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ingest_killed_and_a_store_that_cannot_be_read(visit: Visit, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    arguments = ("ingest", "--ingest-port", "0", "--store", f"disk:{folder}", "--rate", "20", "--history", "1m")
    with (
        Command("serve", "--port", "0", "--store", f"disk:{folder}", log=tmp_path / "serve.log") as serving,
        Command(*arguments, log=tmp_path / "ingest.log") as ingesting,
    ):
        page = visit(serving.address)
        expect(page.locator(WORD)).to_have_text("LIVE")
        ingesting.kill()
        expect(page.locator(WORD)).to_have_text("NOT LIVE")
        expect(page.locator("#live")).to_contain_text("ingest stopped since ")
        expect(page.locator("#connection-state")).to_have_text("DISCONNECTED")
        expect(on_operations(page)).to_contain_text("Ingest is not running")
        expect(page.locator("#operations-gaps tbody tr").first).to_contain_text("ingest did not run")
        # Nobody writes now: the store is put away, and back again.
        shutil.copytree(folder, tmp_path / "kept")
        for database in list(folder.glob("*.db*")):
            # Another file, not the same cut short: its reader has one of them mapped, and would be ended by a signal.
            database.unlink()
            database.write_bytes(b"no database at all " * 4_000)
        expect(on_operations(page)).to_contain_text(re.compile("store", re.IGNORECASE))
        expect(page.locator("#operations-verdict .verdict-title")).to_contain_text("cannot be read")
        on_wall(page)
        expect(page.locator("#live")).to_have_text("store cannot be read")
        shutil.rmtree(folder)
        shutil.move(tmp_path / "kept", folder)
        with Command(*arguments, log=tmp_path / "again.log") as again:
            until(lambda: again.get("/readyz") is not None, "ingest once more")
            expect(page.locator(WORD)).to_have_text("LIVE")
            expect(on_operations(page)).to_contain_text("All is well")
            row = page.locator("#operations-gaps tbody tr").first
            expect(row).to_contain_text("ingest did not run")
            expect(row).not_to_contain_text("still open")
