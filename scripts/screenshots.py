"""Takes the pictures of docs/images/ from a run of the simulated platform: .venv/bin/python scripts/screenshots.py

Chromium is found as the tests find it (CHROMIUM, else scripts/browser.sh).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

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


def richest(address: str) -> dict[str, Any]:
    """A journey over many channels, so that there is something to see."""
    journeys = httpx.get(f"{address}/api/v1/journeys", params={"limit": 1000}).raise_for_status().json()["journeys"]
    found: dict[str, Any] = max(journeys, key=lambda item: (len(item["channels"]), item["transfers"], item["events"]))
    return found


def take(browser: Browser, address: str, name: str, size: tuple[int, int], theme: Any, ready: str) -> None:
    """One picture, once the page says that it is ready."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=theme, timezone_id="UTC")
    page.goto(address)
    page.wait_for_selector(ready, timeout=30_000)
    time.sleep(4)
    page.screenshot(path=IMAGES / f"{name}.png")
    page.close()
    print(f"docs/images/{name}.png")


def main() -> None:
    """Start the product, look at it, stop it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    chromium = (
        os.environ.get("CHROMIUM")
        or subprocess.run(
            [CHECKOUT / "scripts" / "browser.sh"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
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
            "--rate",
            "3",
        ]
        running = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        try:
            assert running.stderr is not None
            address = re.search(r"http://\S+", running.stderr.readline())[0]  # type: ignore[index]
            time.sleep(SETTLE)
            journey = f"{address}/journey/{richest(address)['journey_id']}"
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
                for theme in ("light", "dark"):
                    take(browser, address, f"wall-{theme}", DESKTOP, theme, "body[data-rows]")
                    take(browser, address, f"wall-phone-{theme}", PHONE, theme, "body[data-rows]")
                    take(browser, journey, f"journey-{theme}", DESKTOP, theme, "h1")
                    take(browser, journey, f"journey-phone-{theme}", PHONE, theme, "h1")
                browser.close()
        finally:
            running.terminate()
            running.wait()


if __name__ == "__main__":
    main()
