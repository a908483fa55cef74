"""The section of the report in which one draws, in Chromium: what it sees, what it answers, and
that nothing else runs there."""

import base64
import json
import os
import shutil

import numpy as np
import pytest
from browser import Visit, chromium, needs_chromium
from strokes import DIGITS, points

from helpers.store import paths
from report import typeset

pytestmark = needs_chromium
FOLDER = paths.ROOT / "report/full/models"
PAGE = json.loads((FOLDER / "page.json").read_text(encoding="utf-8"))
ANSWERS = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))
VECTORS = json.loads((paths.ROOT / "tests/helpers/prepared.json").read_text(encoding="utf-8"))
TEXT = "# T\n\n## Try it\n\n::: {#try .screen}\n*It needs a script.*\n:::\n\n## Next\n\nText.\n"
BEST = "mnist-second-v1"


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("try")
    shutil.copy(FOLDER / "page.json", folder)
    (folder / "page.html").write_bytes(typeset.html(TEXT, folder))
    return folder / "page.html"


@pytest.fixture
def visit(browser, file):
    with Visit(browser) as visit:
        visit.page.goto(file.as_uri())
        yield visit
        assert visit.said == [] and visit.asked == [file.as_uri()]


def draw(page, strokes, size=2.4, left=20, top=20):
    """Draw strokes with the mouse, on a pad that is emptied before."""
    page.get_by_role("button", name="Clear").click()
    box = page.locator("#try canvas").bounding_box()
    for stroke in strokes:
        moves = [(box["x"] + left + x * size, box["y"] + top + y * size) for x, y in points(stroke)]
        page.mouse.move(*moves[0])
        page.mouse.down()
        for move in moves[1:]:
            page.mouse.move(*move)
        page.mouse.up()


def answer(page):
    return page.locator("#try output").get_attribute("data-class")


def press(page, *names):
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


def test_the_page_prepares_drawings_as_python_does(visit):
    code = (
        "([drawing, rule]) => [...prepare(drawing.flat(), drawing.length, drawing[0].length, rule)]"
    )
    for case in VECTORS:
        for rule, wanted in case["prepared"].items():
            made = visit.page.evaluate(code, [case["drawing"], rule])
            off = np.abs(np.array(made) - np.ravel(wanted)).max()
            assert off <= 1, (
                case["name"],
                rule,
            )  # another order of summing may round the other way


@pytest.mark.parametrize("run", PAGE["networks"])
def test_the_answers_are_those_of_keras_with_the_same_rounded_weights(visit, run):
    images = next(each["images"] for each in PAGE["sets"] if run in each["networks"])
    pixels = np.frombuffer(base64.b64decode(images), "uint8").reshape(-1, 784)
    code = """([run, images]) => {
        const network = JSON.parse(document.getElementById("networks").content.textContent)
            .networks[run];
        unpack(network);
        return images.map((image) => softmax(logits(network, image)));
    }"""
    found = visit.page.evaluate(code, [run, pixels.tolist()])
    assert np.shape(found) == np.shape(ANSWERS[run])
    assert np.abs(np.array(found) - ANSWERS[run]).max() < 1e-4


@pytest.mark.parametrize("same", [False, True])
def test_layers_of_any_size_are_computed_as_their_definition_says(visit, same):
    from scipy.signal import correlate

    rng = np.random.default_rng(1)
    image, kernel = rng.normal(size=(7, 6, 2)), rng.normal(size=(3, 3, 2, 4))
    rim = ((1, 1), (1, 1), (0, 0)) if same else ((0, 0),) * 3
    padded = np.pad(image, rim)
    wanted = (
        np.stack([correlate(padded, kernel[..., f], "valid")[..., 0] for f in range(4)], -1) + 1
    )
    x = {"data": image.ravel().tolist(), "h": 7, "w": 6, "c": 2}
    layer = {"size": 3, "same": same, "kernel": kernel.ravel().tolist(), "bias": [1] * 4}
    code = (
        "([step, x, layer]) => { const y = eval(step)(x, layer); return [[...y.data], y.h, y.w]; }"
    )
    code = code.replace("eval(step)", "({ convolve, pool })[step]")
    found, *size = visit.page.evaluate(code, ["convolve", x, layer])
    assert size == list(wanted.shape[:2]) and np.allclose(found, wanted.ravel(), atol=1e-5)
    room = np.pad(image, ((0, 1), (0, 0), (0, 0)), constant_values=-np.inf) if same else image[:6]
    wanted = room.reshape(-1, 2, 3, 2, 2).max(axis=(1, 3))
    found, *size = visit.page.evaluate(code, ["pool", x, {"size": 2, "same": same}])
    assert size == list(wanted.shape[:2]) and np.allclose(found, wanted.ravel())


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_drawn_by_hand_is_recognised_large_and_small(visit, digit):
    assert PAGE["sets"][0]["networks"][-1] == BEST, "the network that `data-class` is of"
    draw(visit.page, DIGITS[digit])
    assert answer(visit.page) == digit
    draw(visit.page, DIGITS[digit], size=0.7, left=5, top=180)
    assert answer(visit.page) == digit


def test_each_step_aside_moves_what_the_networks_see_and_back_undoes_it(visit):
    draw(visit.page, DIGITS["4"])
    seen, said = (
        visit.page.locator("#try .seen img"),
        visit.page.locator("#try .seen [role=status]"),
    )
    before = seen.get_attribute("src")
    press(visit.page, "Shift right", "Shift right", "Shift up")
    assert said.inner_text() == "2 px right, 1 px up" and seen.get_attribute("src") != before
    press(visit.page, "Back")
    assert said.inner_text() == "" and seen.get_attribute("src") == before
    press(visit.page, *["Shift left"] * 30)  # no further than there is something to see
    assert said.inner_text() == "9 px left"


def test_the_keyboard_alone_walks_through_test_images_of_all_sets(visit):
    page = visit.page
    for each in PAGE["sets"]:
        page.get_by_label(each["title"]).focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Next test image").focus()
        for place, label in enumerate(each["labels"]):
            truth = each["classes"][label]
            assert page.locator("#try .pad span").inner_text() == f"test image {place + 1}: {truth}"
            found = ANSWERS[each["networks"][-1]][place]
            assert answer(page) == each["classes"][int(np.argmax(found))]
            page.keyboard.press("Enter")
        assert page.locator("#try tbody tr").count() == len(each["classes"])


def test_nothing_drawn_has_no_answer_and_a_finger_draws_too(browser, file):
    with Visit(browser, 390, has_touch=True) as visit:
        visit.page.goto(file.as_uri())
        press(visit.page, "Clear")
        assert answer(visit.page) is None
        assert visit.page.locator("#try output").inner_text() == "Draw a digit."
        box = visit.page.locator("#try canvas").bounding_box()
        visit.page.touchscreen.tap(box["x"] + 100, box["y"] + 100)
        assert answer(visit.page) in DIGITS
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert visit.said == []


def test_without_a_script_one_sentence_says_what_is_missing(browser, file):
    with Visit(browser, java_script_enabled=False) as visit:
        visit.page.goto(file.as_uri())
        assert visit.page.locator("#try").inner_text() == "It needs a script."
        assert "mnist" not in visit.page.locator("body").inner_text()


def test_the_script_is_the_repositorys_and_another_one_stays_blocked(browser, file, tmp_path):
    script = "".join(
        path.read_text(encoding="utf-8") for paths in typeset.SCRIPTS.values() for path in paths
    )
    content = file.read_text(encoding="utf-8")
    (tmp_path / "page.html").write_text(
        content.replace("</main>", "<script>document.title = 'evil'</script></main>"), "utf-8"
    )
    with Visit(browser) as visit:
        visit.page.goto(file.as_uri())
        assert visit.page.locator("script").evaluate_all("all => all.map(e => e.text)") == [script]
        visit.page.goto((tmp_path / "page.html").as_uri())
        assert visit.page.title() != "evil" and len(visit.said) == 1
        assert answer(visit.page) is not None, "ours still runs"


def test_the_script_is_short_enough_to_be_read():
    files = typeset.SCRIPTS[typeset.TRY]
    lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
    assert len(lines) <= 350 and max(map(len, lines)) <= 100
    everything = {path for parts in typeset.SCRIPTS.values() for path in parts}
    assert everything == {typeset.PAD, *(paths.ROOT / "report").glob("*/*.js")}


@pytest.mark.skipif(
    not os.environ.get("AXE"), reason="AXE does not name an axe.min.js (npm pack axe-core@4.10.3)"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_axe_finds_nothing_serious_where_one_draws(browser, file, width, scheme):
    with Visit(browser, width, color_scheme=scheme, bypass_csp=True) as visit:
        visit.page.goto(file.as_uri())
        visit.page.add_script_tag(path=os.environ["AXE"])
        for title in [each["title"] for each in PAGE["sets"]]:
            visit.page.get_by_label(title).check()
            press(visit.page, "Shift right")
            found = visit.page.evaluate("axe.run().then(found => found.violations)")
            grave = [one for one in found if one["impact"] in ("serious", "critical")]
            assert [(one["id"], one["nodes"][0]["html"]) for one in grave] == []
