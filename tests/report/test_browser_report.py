"""The report and an appendix page, opened from disk in Chromium.

The data set behind them has a script in its title and in the name of a class.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from browser import Visit, chromium, needs_chromium

from helpers import datasets
from helpers.datasets import copies
from helpers.store import files, paths
from report import typeset

pytestmark = [*needs_chromium, pytest.mark.slow]
EVIL = "<script>alert(1)</script>"
PHONE = 390


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    """report/smoke, made as a user makes it: one run on stand-ins, and a second record from it."""
    folder = tmp_path_factory.mktemp("edition")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "DATA", folder / "data")
        datasets.prepare("mnist", mode="stand-in", say=lambda line: None)
    meta = folder / "data/stand-in/mnist/meta.json"
    held = json.loads(meta.read_text(encoding="utf-8"))
    held["title"] = f"MNIST {EVIL}"
    held["class_names"][3] = f"three {EVIL}"
    files.save_all({meta: files.as_json(held)}, manifest=meta.with_name(copies.MANIFEST))

    python("grid", folder, "--profile", "smoke", "--runs", "mnist-mlp")
    made, results = folder / "out/report/smoke", folder / "out/report/smoke/results"
    record = json.loads((results / "mnist-mlp.json").read_text(encoding="utf-8"))
    assert EVIL in record["dataset"]["label"] and EVIL in record["dataset"]["class_names"][3]
    files.save_json(results / "mnist-first.json", record | {"run": "mnist-first"})
    shutil.copy(results / "mnist-mlp.npz", results / "mnist-first.npz")
    python("report", folder, "--profile", "smoke")
    return made


def python(module, folder, *arguments):
    """One of the two commands behind `make all`, on stand-ins, writing below `folder` only."""
    environment = os.environ | {
        "DATA": "stand-in",
        "DATA_DIR": str(folder / "data"),
        "OUT": str(folder / "out"),
    }
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module", params=["report.html", "notebooks/mnist-mlp.html"])
def file(request, edition):
    return edition / request.param


def sideways(page):
    """Whether the page itself scrolls sideways, and if so which elements stick out."""
    return page.evaluate("""() => {
        const root = document.scrollingElement;
        if (root.scrollWidth <= root.clientWidth) return [];
        const out = [...document.querySelectorAll("body *")]
            .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1);
        const shown = out.slice(0, 5).map(e => e.outerHTML.slice(0, 120));
        return [`${root.scrollWidth} > ${root.clientWidth}`, ...shown];
    }""")


@pytest.mark.parametrize("width", [PHONE, 1300])
def test_a_page_stands_alone_shows_its_images_and_never_scrolls_sideways(browser, file, width):
    with Visit(browser, width) as visit:
        visit.page.goto(file.as_uri())
        assert sideways(visit.page) == []
        visit.page.locator("details").evaluate_all(
            "folds => folds.forEach(fold => fold.open = true)"
        )
        assert sideways(visit.page) == [], "with everything unfolded"
        assert visit.undecoded() == []
        cut = "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
        assert visit.page.locator("pre").evaluate_all(cut) == [], "no code is cut off"
        assert visit.said == []
        assert visit.asked == [file.as_uri()]


def test_a_script_in_a_title_or_a_class_name_is_text(browser, file):
    with Visit(browser) as visit:
        visit.page.goto(file.as_uri())
        assert EVIL in visit.page.locator("body").inner_text()
        ours = (typeset.STYLE / "report.js").read_text(encoding="utf-8")
        assert visit.page.locator("script").evaluate_all("all => all.map(e => e.text)") == [ours]
        foreign = "iframe, object, embed, [onload], [onerror], [onclick], [src$='.js']"
        assert visit.page.locator(foreign).count() == 0
        assert visit.said == []


def test_each_entry_of_the_contents_moves_to_its_heading(browser, file):
    with Visit(browser, PHONE) as visit:
        visit.page.goto(file.as_uri())
        entries = visit.page.locator("nav a[href^='#']")
        assert entries.count() >= 3
        for entry in entries.all():
            entry.click()
            there = visit.page.evaluate("""() => {
                const root = document.scrollingElement, hash = location.hash;
                const goal = document.getElementById(decodeURIComponent(hash.slice(1)));
                const top = goal ? goal.getBoundingClientRect().top : NaN;
                const ended = root.scrollTop + root.clientHeight >= root.scrollHeight - 2;
                const seen = top > -2 && top < (ended ? root.clientHeight : 60);
                return {hash, moved: root.scrollTop > 0, seen};
            }""")
            assert there == {"hash": entry.get_attribute("href"), "moved": True, "seen": True}
        assert visit.said == []


def test_every_link_within_a_page_has_its_target(browser, file):
    with Visit(browser) as visit:
        visit.page.goto(file.as_uri())
        assert (
            visit.page.evaluate("""() => [...document.querySelectorAll("a[href^='#']")]
            .map(link => link.getAttribute("href"))
            .filter(address => !document.getElementById(decodeURIComponent(address.slice(1))))""")
            == []
        )


def test_the_dark_page_is_dark_and_its_text_light(browser, file):
    def lightness(scheme):
        with Visit(browser, color_scheme=scheme) as visit:
            visit.page.goto(file.as_uri())
            colours = visit.page.evaluate("""() => [
                getComputedStyle(document.documentElement).backgroundColor,
                getComputedStyle(document.querySelector("main p")).color]""")
            return [
                sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 765
                for colour in colours
            ]

    paper, ink = lightness("light")
    assert paper > 0.9 and ink < 0.3
    paper, ink = lightness("dark")
    assert paper < 0.2 and ink > 0.7


def test_report_and_appendix_lead_to_each_other(browser, edition):
    with Visit(browser) as visit:
        visit.page.goto((edition / "report.html").as_uri())
        visit.page.evaluate(
            "document.querySelectorAll('details').forEach(fold => fold.open = true)"
        )
        visit.page.locator("a[href='notebooks/mnist-mlp.html']").first.click()
        visit.page.wait_for_url((edition / "notebooks/mnist-mlp.html").as_uri())
        assert visit.page.title() == "mnist-mlp"
        visit.page.locator("header a").click()
        visit.page.wait_for_url((edition / "report.html").as_uri())
        assert visit.said == []


def test_code_in_an_appendix_unfolds_and_folds_by_a_click(browser, edition):
    with Visit(browser, java_script_enabled=False) as visit:
        visit.page.goto((edition / "notebooks/mnist-mlp.html").as_uri())
        fold = visit.page.locator(
            "details", has=visit.page.locator("pre", has_text="from helpers import")
        )
        code, handle = fold.locator("pre"), fold.locator("summary")
        assert not code.is_visible()
        handle.click()
        code.wait_for(state="visible")
        handle.click()
        code.wait_for(state="hidden")


@pytest.mark.parametrize("script", [False, True])
def test_a_picture_opens_at_full_size_by_keyboard_and_closes_again(browser, edition, script):
    with Visit(browser, PHONE, java_script_enabled=script) as visit:
        visit.page.goto((edition / "report.html").as_uri())
        picture, image = visit.page.locator("a.zoom").first, visit.page.locator("a.zoom img").first
        small = image.bounding_box()["width"]
        picture.focus()
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url("**#zoom-*")
        assert image.bounding_box()["width"] > 1.5 * small
        if script:
            visit.page.keyboard.press("Escape")
        else:
            visit.page.locator("a.zoom:target + .close").click()
        visit.page.wait_for_url("**#fig-*")
        assert image.bounding_box()["width"] == small and visit.said == []


def test_a_click_on_a_head_sorts_the_table(browser, tmp_path):
    rows = "| b | −2.5 |\n| a | 1,000 |\n| c | – |\n| d | 7 |"
    text = f"# T\n\n## S\n\n::: {{#tbl-a .exhibit}}\n| x | y |\n|:--|--:|\n{rows}\n\n: C.\n:::\n"
    (tmp_path / "page.html").write_bytes(typeset.html(text, tmp_path))
    with Visit(browser) as visit:
        visit.page.goto((tmp_path / "page.html").as_uri())
        for order in ("bdac", "adbc"):  # up, then down; what is no number stays last
            visit.page.locator("thead button", has_text="y").click()
            first = "all => all.map(e => e.textContent).join('')"
            assert visit.page.locator("tbody th").evaluate_all(first) == order
        assert visit.page.locator("th[aria-sort=descending]").inner_text().startswith("y")
        assert visit.said == []


@pytest.mark.skipif(
    not os.environ.get("AXE"), reason="AXE does not name an axe.min.js (npm pack axe-core@4.10.3)"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1300])
def test_axe_finds_nothing_serious(browser, file, width, scheme):
    with Visit(browser, width, color_scheme=scheme, bypass_csp=True) as visit:
        visit.page.goto(file.as_uri())
        folds = visit.page.locator("details")
        folds.evaluate_all("folds => folds.forEach(fold => fold.open = true)")
        visit.page.add_script_tag(path=os.environ["AXE"])
        found = visit.page.evaluate("axe.run().then(found => found.violations)")
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"]) for one in grave] == []
