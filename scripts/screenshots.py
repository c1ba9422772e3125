"""Takes the pictures of docs/images/ from a run of the simulated platform: .venv/bin/python scripts/screenshots.py

Chromium is found as the tests find it (CHROMIUM, else scripts/browser.sh). With words as arguments only pictures whose
names contain one of them are kept. `pngquant`, where it is installed, makes them smaller.
Takes about twelve minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

CHECKOUT = Path(__file__).resolve().parents[1]
IMAGES = CHECKOUT / "docs" / "images"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1440, 900), (390, 844)
SETTLE = 25  # seconds until the wall shows a lively picture
OUTAGE = 75  # seconds without a connection, long enough to be an error and to be seen on the chart
WALL_IS_DRAWN = "body[data-rows]"
SEVERAL_CHANNELS = ".row-head:not([hidden]):has(.row-channels > :nth-child(2))"
TABLE_IS_DRAWN = "#journey-table .ag-row"
UNDERSTOOD = "localStorage.setItem('journeymap-simulated-understood', 'yes')"  # the first-start notice has been read


class Product:
    """The running product, and the simulated platform behind it."""

    def __init__(self, log: Path) -> None:
        text = log.read_text()
        self.address = re.search(r"Journeymap is at (http://\S+)", text)[1]  # type: ignore[index]
        self.platform = re.search(r"platform is at (http://\S+)", text)[1]  # type: ignore[index]

    def break_with(self, action: str, **faults: Any) -> None:
        """Set faults, and let an action happen that makes them felt."""
        httpx.put(f"{self.platform}/control/faults", json=faults).raise_for_status()
        self.act(action)

    def act(self, action: str, **body: Any) -> None:
        """Let something happen on the platform."""
        httpx.post(f"{self.platform}/control/actions/{action}", json=body).raise_for_status()

    def mend(self) -> None:
        """Nothing is wrong any more, and ingest knows."""
        httpx.delete(f"{self.platform}/control/faults").raise_for_status()
        while httpx.get(f"{self.address}/api/v1/status").json()["state"] != "OPEN":
            time.sleep(1)

    def richest(self) -> str:
        """The path of a journey over many channels, so that there is something to see."""
        answer = httpx.get(f"{self.address}/api/v1/journeys", params={"limit": 1000}).raise_for_status()
        best = max(
            answer.json()["journeys"], key=lambda item: (len(item["channels"]), item["transfers"], item["events"])
        )
        return f"/journey/{best['journey_id']}"


class Camera:
    """Takes pictures of the pages of one product, of those that are `wanted`."""

    def __init__(self, browser: Browser, address: str, wanted: list[str]) -> None:
        self._browser = browser
        self._address = address
        self._wanted = wanted

    def take(
        self, name: str, path: str, ready: str, *, theme: Any = "light", size: tuple[int, int] = DESKTOP, **doing: Any
    ) -> None:
        """One picture, once the page says that it is ready."""
        with self.watch(path, theme, size) as page:
            self.shoot(page, name, ready, **doing)

    @contextmanager
    def watch(self, path: str, theme: Any = "light", size: tuple[int, int] = DESKTOP) -> Iterator[Page]:
        """A page that is looked at for a while."""
        viewport = {"width": size[0], "height": size[1]}
        # A phone is touched, and has more than one dot for each pixel.
        phone: dict[str, Any] = (
            {"has_touch": True, "is_mobile": True, "device_scale_factor": 2} if size == PHONE else {}
        )
        page = self._browser.new_page(viewport=viewport, color_scheme=theme, timezone_id="UTC", **phone)  # type: ignore[arg-type]
        page.add_init_script(UNDERSTOOD)
        page.goto(self._address + path)
        yield page
        page.close()

    def shoot(self, page: Page, name: str, ready: str, *, keys: str = "", open_first: str = "") -> None:
        """A picture of the page as it is, after pressing `keys` and opening the first element of a kind."""
        if self._wanted and not any(word in name for word in self._wanted):
            return
        page.wait_for_selector(ready, timeout=60_000)
        for key in keys:
            page.keyboard.press(key)
        if open_first:
            page.locator(open_first).first.click()
        time.sleep(4)
        target = IMAGES / f"{name}.png"
        page.screenshot(path=target)
        if smaller := shutil.which("pngquant"):
            subprocess.run([smaller, "--force", "--strip", "--ext", ".png", "--quality", "80-100", target], check=False)
        print(f"docs/images/{name}.png, {target.stat().st_size:,} bytes")


def show_well(camera: Camera, product: Product) -> None:
    """The pages as they are every day."""
    journey = product.richest()
    for theme in ("light", "dark"):
        for suffix, size in (("", DESKTOP), ("-phone", PHONE)):
            camera.take(f"wall{suffix}-{theme}", "/", WALL_IS_DRAWN, theme=theme, size=size)
            camera.take(f"journey{suffix}-{theme}", journey, "h1", theme=theme, size=size)
            camera.take(f"table{suffix}-{theme}", "/?view=table", TABLE_IS_DRAWN, theme=theme, size=size)
        camera.take(
            f"wall-selected-{theme}", "/", WALL_IS_DRAWN, theme=theme, open_first=f"{SEVERAL_CHANNELS} .row-customer"
        )
        camera.take(f"wall-display-{theme}", "/?display=wall", WALL_IS_DRAWN, theme=theme)


def show_size(camera: Camera, name: str) -> None:
    """Wall and table with few or with many journeys."""
    for theme in ("light", "dark"):
        camera.take(f"wall-{name}-{theme}", "/", WALL_IS_DRAWN, theme=theme)
        camera.take(f"table-{name}-{theme}", "/?view=table", TABLE_IS_DRAWN, theme=theme)


TROUBLE = ("operations", "wall-gaps-light")


def show_trouble(camera: Camera, product: Product) -> None:
    """The pages while something is wrong, and what is seen of it later."""
    with camera.watch("/operations") as page:
        time.sleep(60)  # a line of the last minutes
        camera.shoot(page, "operations-light", "#operations-verdict[data-kind=good]")
    product.act("garbage", form="truncated")
    product.act("garbage", form="no_interaction_id")
    product.break_with("drop", fail_handshakes="503")
    time.sleep(OUTAGE)
    product.mend()
    time.sleep(60)
    with camera.watch("/operations", "dark") as page:
        product.break_with("drop", fail_handshakes="503")
        time.sleep(OUTAGE)
        camera.shoot(page, "operations-outage-dark", "#operations-verdict[data-kind=error]")
        camera.take("wall-gaps-light", "/", WALL_IS_DRAWN, keys="++")
    product.mend()
    camera.take("operations-quarantine-phone-light", "/operations", ".entry", size=PHONE, open_first=".entry-head")
    product.break_with("drop", refuse_credentials=True)
    time.sleep(5)
    camera.take(
        "operations-refused-phone-dark", "/operations", "#operations-verdict[data-kind=error]", theme="dark", size=PHONE
    )


@contextmanager
def running(*options: str) -> Iterator[Product]:
    """The product with a simulated platform, until it is not needed any more."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "journeymap",
            "run",
            "--port",
            "0",
            "--store",
            f"disk:{folder}/store",
            *options,
        ]
        log = Path(folder) / "log"
        with log.open("w") as output:
            process = subprocess.Popen(command, cwd=CHECKOUT, stderr=output)
        try:
            time.sleep(SETTLE)
            yield Product(log)
        finally:
            process.terminate()
            process.wait()


SIZES = {"5": ("--rate", "1", "--history", "10s"), "5000": ("--rate", "16")}
"""Options for about so many journeys."""


def main() -> None:
    """Start the product, look at it, stop it; and again with few and with many journeys."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    chromium = (
        os.environ.get("CHROMIUM") or subprocess.check_output(["scripts/browser.sh"], cwd=CHECKOUT, text=True).strip()
    )
    wanted = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        for name, options in SIZES.items():
            with running(*options) as product:
                show_size(Camera(browser, product.address, wanted), name)
        with running("--rate", "3") as product:
            camera = Camera(browser, product.address, wanted)
            show_well(camera, product)
            if not wanted or any(word in name for name in TROUBLE for word in wanted):
                show_trouble(camera, product)
        browser.close()


if __name__ == "__main__":
    main()
