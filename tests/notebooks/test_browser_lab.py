"""JupyterLab as `make lab` starts it: who may reach it; a notebook run from first cell to last."""

import http.client
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import nbformat
import pytest
from browser import Visit, chromium, needs_chromium
from strokes import DIGITS, points

from helpers.show import tables
from helpers.store import paths

pytestmark = [*needs_chromium, pytest.mark.slow]
NOTEBOOK = "01_mlp_baseline"
CELLS = ".jp-NotebookPanel .jp-CodeCell"


def make_lab():
    """The command that `make lab` runs, as a list. make itself is asked."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    done = subprocess.run(
        ["make", "--dry-run", "lab"],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    program, *arguments = next(
        shlex.split(line) for line in done.stdout.splitlines() if "jupyter lab" in line
    )
    assert program.endswith("/jupyter")
    return [sys.executable, "-m", "jupyter", *arguments]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A running JupyterLab over a copy of notebooks/, on stand-ins, in a folder of its own."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(paths.NOTEBOOKS, folder / "work/notebooks", ignore=shutil.ignore_patterns(".*"))
    settings = folder / "jupyter/config/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"checkForUpdates": False, "fetchNews": "false"}  # else the server asks the network
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")
    }
    for kind in ("config", "data", "runtime"):
        environment[f"JUPYTER_{kind.upper()}_DIR"] = str(folder / "jupyter" / kind)
    environment |= {
        "IPYTHONDIR": str(folder / "ipython"),
        "DATA": "stand-in",
        "DATA_DIR": str(folder / "data"),
        "OUT": str(folder / "out"),
    }

    port, token, log = free_port(), secrets.token_hex(16), folder / "log.txt"
    command = [
        *make_lab(),
        "--no-browser",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with log.open("w") as said:
        server = subprocess.Popen(
            command,
            cwd=folder / "work",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + 60
        while not listens("127.0.0.1", port):
            assert server.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield SimpleNamespace(
            port=port,
            address=f"http://127.0.0.1:{port}",
            token=token,
            work=folder / "work",
            out=folder / "out",
        )
    finally:
        server.terminate()  # it ends its kernels before itself
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise


def listens(host, port):
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def status(lab, path, method="GET", **headers):
    """HTTP status of one request, redirections not followed."""
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=30)
    connection.request(method, path, headers=headers)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_lab_listens_on_this_machines_loopback_address_only(lab):
    assert listens("127.0.0.1", lab.port)
    others = {
        found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    } - {"127.0.0.1"}
    # A server on 0.0.0.0 would answer on these, too.
    assert [host for host in ("127.0.0.2", *others) if listens(host, lab.port)] == []


def test_the_lab_serves_nobody_without_the_token_or_under_another_name(lab):
    asked = f"/api/contents/notebooks/{NOTEBOOK}.ipynb"
    assert status(lab, asked) == 403
    assert status(lab, "/api/kernels", "POST") == 403
    assert status(lab, asked, Authorization="token wrong") == 403
    assert status(lab, f"/lab/tree/notebooks/{NOTEBOOK}.ipynb") == 302, "to the log-in page"
    assert status(lab, asked, Authorization=f"token {lab.token}") == 200
    assert status(lab, asked, Authorization=f"token {lab.token}", Host="example.org") == 403, (
        "another name"
    )


def checkout():
    """What a notebook that runs in the wrong place would change: notebooks, lab edition."""
    folders = [paths.NOTEBOOKS, paths.ROOT / "report/lab", paths.ROOT / "figures/lab"]
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def prompts(page):
    """What stands left of each code cell: [ ]: before it runs, [*]: while it runs, [3]: after."""
    return [text.strip() for text in page.locator(f"{CELLS} .jp-InputPrompt").all_text_contents()]


def run_all(page, after=0):
    """Run all cells, and wait for the end; `after`: the number of cells that ran before."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    # After a failure the cells behind it lose their stars: this ends then, too.
    page.wait_for_function(
        """([cells, after]) => {
        const prompts = [...document.querySelectorAll(`${cells} .jp-InputPrompt`)];
        const texts = prompts.map(prompt => prompt.textContent);
        const begun = texts.some(text => Number(text.replace(/[^0-9]/g, "")) > after);
        return begun && !texts.some(text => text.includes("*"));
    }""",
        arg=[CELLS, after],
        timeout=180_000,
    )


def complaints(panel):
    """Errors and lines on stderr among a notebook's outputs: the red boxes."""
    boxes = (f'[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in ("error", "stderr"))
    return [text for box in boxes for text in panel.locator(box).all_text_contents()]


def test_a_notebook_runs_from_its_first_cell_to_its_last(lab):
    notebook = nbformat.read(lab.work / f"notebooks/{NOTEBOOK}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    hidden = [
        cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in cells
    ]  # these show no number
    before = checkout()
    with chromium() as browser, Visit(browser, 1400, 1000) as visit:
        page = visit.page
        page.goto(f"{lab.address}/?token={lab.token}")
        page.locator(CELLS).first.wait_for(timeout=60_000)
        assert page.url == f"{lab.address}/lab/tree/notebooks/{NOTEBOOK}.ipynb", (
            "`make lab` opens the first notebook"
        )
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        # The lab adds the cells that are out of sight when it has time.
        page.locator(CELLS).nth(len(cells) - 1).wait_for(state="attached", timeout=60_000)
        assert prompts(page) == ["" if folded else "[ ]:" for folded in hidden]

        panel = page.locator(".jp-NotebookPanel")
        run_all(page)
        assert complaints(panel) == []
        assert prompts(page) == [
            "" if folded else f"[{k}]:" for k, folded in enumerate(hidden, start=1)
        ]

        shown = [re.match(r"show\.(\w+)\(", cell.source) for cell in cells]
        names = {match[1] for match in shown if match} - {"source", *dir(tables)}
        drawn = sum(bool(match) and match[1] in names for match in shown)
        images = panel.locator(".jp-OutputArea-output img")
        assert drawn >= 5 and images.count() == drawn
        for image in images.all():
            image.scroll_into_view_if_needed()
            assert image.evaluate("async image => (await image.decode(), image.naturalWidth)") > 400
            box = image.bounding_box()
            assert box["width"] > 200 and box["height"] > 100
        assert panel.locator(".jp-OutputArea-output table").count() >= 1
        assert "STAND-IN" in panel.text_content()
        assert "epoch 5/5" in panel.text_content()

        run_all(page, after=len(cells))  # the last one's number, if no kernel was started anew
        assert "the network is found in data/trained" in panel.text_content()
        assert complaints(panel) == [] and "epoch 5/5" not in panel.text_content()
        assert visit.said == []
        assert [address for address in visit.asked if not address.startswith(lab.address)] == []

    record = json.loads((lab.out / "report/lab/results/mnist-mlp.json").read_text(encoding="utf-8"))
    assert record["dataset"]["kind"] == "stand-in"
    assert record["seeds"][0]["test_accuracy"] > 0.2, "twice as good as guessing"
    assert (lab.out / "report/lab/results/mnist-mlp.npz").exists()
    assert checkout() == before


def test_one_draws_in_notebook_12_and_the_network_answers(lab):
    with chromium() as browser, Visit(browser, 1400, 1000) as visit:
        page, name = visit.page, "12_try_it"
        page.goto(f"{lab.address}/lab/tree/notebooks/{name}.ipynb?token={lab.token}&reset")
        page.locator(CELLS).first.wait_for(timeout=60_000)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        run_all(page)
        canvas, panel = page.locator(".pad canvas"), page.locator(".jp-NotebookPanel")
        for digit in "71":
            page.locator(".pad button").click()
            canvas.scroll_into_view_if_needed()
            box = canvas.bounding_box()
            for stroke in DIGITS[digit]:
                moves = [
                    (box["x"] + 20 + 2.4 * x, box["y"] + 20 + 2.4 * y) for x, y in points(stroke)
                ]
                page.mouse.move(*moves[0])
                page.mouse.down()
                for move in moves[1:]:
                    page.mouse.move(*move)
                page.mouse.up()
            beside = page.locator(".jp-OutputArea-output .jupyter-widgets table td").first
            beside.get_by_text(digit, exact=True).wait_for(timeout=60_000)
        shown = page.locator(".jupyter-widgets figure img")
        sizes = shown.evaluate_all("all => all.map(each => [each.width, each.height])")
        assert sizes == [[92, 92]] * 2, "the picture and where the evidence lies, not squeezed"
        assert complaints(panel) == [] and visit.said == []
        assert [address for address in visit.asked if not address.startswith(lab.address)] == []


# After the others: JupyterLab opens again what was open last.
def test_a_notebook_that_is_opened_shows_no_change_and_is_saved_as_it_was(lab):
    with chromium() as browser, Visit(browser, 1400, 1000) as visit:
        for name in sorted(path.stem for path in paths.NOTEBOOKS.glob("0*.ipynb")):
            opened_and_saved(lab, visit.page, name)


def opened_and_saved(lab, page, name):
    path = lab.work / f"notebooks/{name}.ipynb"
    before = path.read_bytes()
    page.goto(f"{lab.address}/lab/tree/notebooks/{name}.ipynb?token={lab.token}&reset")
    page.locator(CELLS).first.wait_for(timeout=60_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    assert page.locator(".jp-mod-dirty").count() == 0, name
    written = f"/api/contents/notebooks/{name}.ipynb"
    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and written in answer.url
    ) as saved:
        page.keyboard.press("Control+s")
    assert saved.value.ok, name
    assert path.read_bytes() == before, name
