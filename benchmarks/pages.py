"""How soon the pages are there: bytes of script, first paint on a slow processor, and a search.

A service with `--n` learnwares is looked at by Chromium, its processor slowed down four times for
the first paint. Needs `make web` and chromium. Prints what each bound comes to; writes
benchmarks/results/pages.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from search_bounds import Bound, as_json
from service import FAMILIES, FEATURES, fill, served, specification

RESULTS = Path(__file__).parent / "results" / "pages.json"
SLOWER, TIMES = 4, 5
#: In kilobytes of compressed script, and milliseconds.
SCRIPT_KB, PAINT_MS, ANSWER_MS = 300.0, 1500.0, 300.0
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
#: Milliseconds from the click that sends a specification to its first answer on the page.
_ANSWER = """() => new Promise((resolve) => {
  const button = [...document.querySelectorAll('main button')].find(
    (one) => one.textContent.startsWith('Search with these'))
  const began = performance.now()
  new MutationObserver((_, observer) => {
    const titles = [...document.querySelectorAll('main h2')].map((one) => one.textContent)
    if (!titles.includes('Single learnwares')) return
    observer.disconnect()
    requestAnimationFrame(() => resolve(performance.now() - began))
  }).observe(document.querySelector('main'), { childList: true, subtree: true })
  button.click()
})"""


def main() -> None:
    """Measure, print, and write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="learnwares in the dock")
    parser.add_argument("--folder", type=Path, help="keep the dock here, to use it again")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = (chosen.folder or Path(temporary)) / f"service-{chosen.n}"
        token = fill(folder, chosen.n)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        with served(folder, token) as server:
            script = scripts(browser.new_page(), server.url)
            paints = [painted(browser.new_context().new_page(), server.url) for _ in range(TIMES)]
            answers = answered(browser.new_page(), server.url, Path(temporary))
        browser.close()
    bounds = [
        Bound("first page: kilobytes of compressed script", SCRIPT_KB, script / 1000),
        Bound(f"first paint, {SLOWER} times slower: ms", PAINT_MS, statistics.median(paints)),
        Bound(f"a search by data among {chosen.n:,}: ms", ANSWER_MS, statistics.median(answers)),
    ]
    for bound in bounds:
        print(bound)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"n": chosen.n, "bounds": as_json(bounds)}, indent=2) + "\n")


def scripts(page: Page, url: str) -> int:
    """Return the bytes of script that the first page takes, as they are sent."""
    sizes: list[int] = []

    def count(request: Any) -> None:
        if request.resource_type == "script":
            sizes.append(request.sizes()["responseBodySize"])

    page.on("requestfinished", count)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return sum(sizes)


def painted(page: Page, url: str) -> float:
    """Return when the first page shows something, in a browser that never saw it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url)
    page.locator("h1").wait_for()
    return float(page.evaluate(_PAINT))


def answered(page: Page, url: str, folder: Path) -> list[float]:
    """Return how long searches take, each by a specification of its own."""
    families = np.random.default_rng(0).normal(0.0, 6.0, (FAMILIES, FEATURES))
    taken = []
    for i, family in enumerate(families[: TIMES + 1]):
        spec = specification(2**32 - 1 - i, family)
        path = folder / f"{i}.json"
        path.write_text(
            json.dumps({"z": spec.points.tolist(), "beta": spec.weights.tolist(), "num_points": 20})
        )
        page.goto(f"{url}/search")
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_role("button", name="Search with these points").wait_for()
        taken.append(float(page.evaluate(_ANSWER)))
    return taken[1:]


if __name__ == "__main__":
    main()
