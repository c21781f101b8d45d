"""How the review page bears a CT of 512 x 512 x 300: opening, scrolling, painting, saving, in headless Chromium with software WebGL.

    python benchmarks/review.py [--slices 300]

Needs Chromium and Playwright. A graphics card makes the drawing times smaller; the rest is what a user waits for.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import uvicorn
from playwright.sync_api import sync_playwright

from isthmus.app.server import create_app
from isthmus.app.settings import AppSettings


def write_study(folder: Path, slices: int) -> None:
    """A CT-like volume (.nii.gz) and a lesion of a few ml."""
    rng = np.random.default_rng(1)
    plane = rng.normal(40, 15, (512, 512)).astype(np.int16)
    i, j = np.indices((512, 512)) - 256
    plane[(i / 200) ** 2 + (j / 150) ** 2 > 1] = -1000
    values = np.repeat(plane[:, :, None], slices, axis=2) + np.arange(slices, dtype=np.int16) % 7
    mask = np.zeros(values.shape, np.uint8)
    mask[240:280, 200:240, slices // 2 - 15 : slices // 2 + 15] = 1
    values[mask == 1] += 80
    affine = np.diag([-0.7, -0.7, 1.0, 1.0])
    nib.save(nib.Nifti1Image(values, affine), folder / "ct.nii.gz")
    nib.save(nib.Nifti1Image(mask, affine), folder / "mask.nii.gz")
    (folder / "cases.csv").write_text("patient,image:ct,mask:ct\nP1,ct.nii.gz,mask.nii.gz\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    slices = parser.parse_args().slices
    with tempfile.TemporaryDirectory() as name:
        study = Path(name)
        write_study(study, slices)
        listening = socket.create_server(("127.0.0.1", 0))
        settings = AppSettings(study=study, cases=study / "cases.csv", port=listening.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning", access_log=False))
        threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
        for what, seconds in measure(settings):
            print(f"{what:58} {seconds:8.2f} s", flush=True)
        server.should_exit = True


def measure(settings: AppSettings) -> Iterator[tuple[str, float]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{settings.port}/?token={settings.token}")
        page.goto(f"http://127.0.0.1:{settings.port}/review/")
        page.fill("#reader", "bench")
        yield (
            "opened: read .nii.gz, send, show (first time)",
            timed(
                lambda: (
                    page.keyboard.press("Enter"),
                    page.wait_for_selector("body[data-opened]", timeout=300_000),
                    drawn(page),
                )
            ),
        )
        page.wait_for_selector("#m-dice:text-is('1.000')", timeout=60_000)
        yield "one slice further, until it is drawn (mean of 20)", timed(lambda: scroll(page, "ArrowUp", 20)) / 20
        page.keyboard.press("v")
        yield "the same, axial plane alone (mean of 20)", timed(lambda: scroll(page, "ArrowDown", 20)) / 20
        page.keyboard.press("b")
        box = page.locator("#gl").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        yield "a stroke of ten moves, until it is drawn", timed(lambda: stroke(page, x, y))
        yield (
            "until the server has it and its measures are shown",
            timed(lambda: page.wait_for_selector("#saved:text-matches('drawing kept')", timeout=60_000)),
        )
        yield "undo, until it is drawn", timed(lambda: (page.keyboard.press("z"), drawn(page)))
        page.keyboard.press("y")
        yield (
            "save as a new version, decision in the log",
            timed(lambda: (page.keyboard.press("m"), page.wait_for_selector("body[data-decided]", timeout=60_000))),
        )
        page.reload()
        page.locator("#who[open]").wait_for()
        yield (
            "opened again",
            timed(
                lambda: (
                    page.keyboard.press("Enter"),
                    page.wait_for_selector("body[data-opened]", timeout=300_000),
                    drawn(page),
                )
            ),
        )
        browser.close()


def timed(does: Any) -> float:
    start = time.perf_counter()
    does()
    return time.perf_counter() - start


def drawn(page: Any) -> None:
    """Wait until everything asked for so far is on the screen (the canvas is busy until then)."""
    page.evaluate("() => new Promise(done => setTimeout(done))")
    page.wait_for_selector("#gl:not([aria-busy])", timeout=120_000)


def scroll(page: Any, key: str, times: int) -> None:
    for _ in range(times):
        page.keyboard.press(key)
        drawn(page)


def stroke(page: Any, x: float, y: float) -> None:
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=10)
    page.mouse.up()
    drawn(page)


if __name__ == "__main__":
    main()
