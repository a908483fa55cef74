"""Headless Chromium for the tests: the one of the system; none is ever downloaded."""

import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]  # without it a container's 64 MB of /dev/shm end the tab

# For `pytestmark`: the marker, and the reason why nothing was seen.
needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM, reason="no chromium, chromium-browser or google-chrome on PATH"
    ),
]


@contextmanager
def chromium():
    """A running browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page in a fresh profile, with all that it says and asks for.

    `said`: console errors and warnings, among them each violation of the content security policy;
    uncaught exceptions; dialogs. `asked`: the addresses requested, without data: and blob:.
    """

    def __init__(self, browser, width=1300, height=900, **settings):
        self.page = browser.new_page(viewport={"width": width, "height": height}, **settings)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self._hear("error", f"exception: {error}"))
        self.page.on(
            "dialog",
            lambda dialog: (self._hear("error", f"dialog: {dialog.message}"), dialog.dismiss()),
        )
        self.page.on("request", lambda request: self._note(request.url))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.page.context.close()

    def _hear(self, kind, text):
        if kind in ("error", "warning"):
            self.said.append(text)

    def _note(self, address):
        if not address.startswith(("data:", "blob:")):
            self.asked.append(address)

    def undecoded(self, images="img"):
        """The images that are not shown, for want of pixels or of a place. There must be some."""
        found = self.page.locator(images)
        assert found.count(), f"no {images} on the page"
        sizes = {
            image.get_attribute("alt"): image.evaluate(
                "async image => (await image.decode().catch(() => 0),"
                " [image.naturalWidth, image.width, image.height])"
            )
            for image in found.all()
        }
        return [f"{alt}: {size}" for alt, size in sizes.items() if min(size) < 20]
