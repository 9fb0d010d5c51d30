"""Take a picture of every page into a folder: both themes, on a phone and on a desk.

usage: python web/pictures.py FOLDER URL EMAIL PASSWORD — of a service that runs.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGES = {
    "home": "/",
    "search": "/search",
    "learnware": "",
    "submit": "/submit",
    "mine": "/mine",
    "tokens": "/mine?tab=tokens",
    "account": "/mine?tab=account",
    "sign-in": "/sign-in",
    "register": "/register",
    "device": "/device",
}
SIZES = {"phone": (360, 740), "desk": (1280, 900)}


def main(folder: Path, url: str, email: str, password: str) -> None:
    """Sign in once for each size and theme, and look at every page."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB"
                )
                page = context.new_page()
                page.goto(f"{url}/sign-in")
                page.locator("input[type=email]").fill(email)
                page.locator("input[type=password]").fill(password)
                page.locator("main button[type=submit]").click()
                page.wait_for_url("**/mine")
                first = page.request.get(f"{url}/v1/learnwares?limit=1").json()[0]["id"]
                for name, path in PAGES.items():
                    page.goto(url + (path or f"/learnwares/{first}"))
                    page.locator("h1").wait_for()
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=True)
                context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
