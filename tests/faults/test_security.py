"""Nobody let in: what records and notebooks hold stays text, archives stay in their folder, servers
on loopback."""

import ast
import json
import os
import re
import zipfile
from html.parser import HTMLParser

import pytest

from faults.scene import SLOW, Scene, wait_for
from helpers import datasets
from helpers.store import files, paths
from helpers.store.paths import UserError
from report import build as report
from report import typeset

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "</title><script src=//x.invalid/a.js></script>",
    "`x`{=html}",
    "![](http://x.invalid/a.png)",
]
TEXT = "text in a record is text on the page: no script, no address outside, a policy against both"


class Page(HTMLParser):
    """Tags, attributes and scripts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.scripts = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def assert_harmless(text):
    page = Page(text)
    assert not {"iframe", "object", "embed", "form", "base"} & page.tags
    script = (typeset.STYLE / "report.js").read_text(encoding="utf-8")
    assert page.scripts == [script], "exactly one, byte for byte the repository's"
    for tag, name, value in page.attributes:
        assert not name.startswith("on") and not value.strip().lower().startswith(
            ("javascript:", "vbscript:", "data:text")
        ), (tag, name, value)
        assert name not in ("src", "srcset", "poster") or value.startswith("data:"), (
            tag,
            name,
            value[:60],
        )
        assert tag != "link" or value in ("icon", "data:,"), value
    policy = next(
        value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value
    )
    assert (
        policy.startswith("default-src 'none'")
        and re.findall(r"script-src ([^;]*)", policy) == [f"'{typeset._hash(script)}'"]
        and "http" not in policy
    )
    assert not re.search(r"url\((?!\"?data:)|@import", text), "the style loads nothing"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    scene = Scene(tmp_path_factory.mktemp("security"))
    assert scene.call(SLOW)[0] == 0
    return scene


def poisoned(value, evil, keep=()):
    """Every text in a record, however deep, followed by something evil."""
    if isinstance(value, dict):
        return {
            key: one if key in keep else poisoned(one, evil, keep) for key, one in value.items()
        }
    if isinstance(value, list):
        return [poisoned(one, evil, keep) for one in value]
    return f"{value} {evil}" if isinstance(value, str) else value


@pytest.mark.fault(
    "Script in every text of a record: titles, labels, class names, captions, versions, hardware",
    TEXT,
)
@pytest.mark.parametrize("evil", EVIL)
def test_a_record_brings_no_script_into_the_report(scene, evil):
    path, content = scene.results(f"{SLOW}.json"), scene.record(SLOW)
    keep = (
        "run",
        "notebook",
        "fingerprint",
        "sha256",
        "kind",
        "profile",
        "network",
        "finished",
        "path",
        "network_sha256",
    )
    try:
        files.save_json(path, poisoned(content, evil, keep))
        path.with_suffix(".sha256").unlink(missing_ok=True)  # nobody vouches for this record
        status, out, err = scene.call(module="report")
        if "only PNG and SVG files beside the report can be shown" in err:
            return  # a caption is Markdown: a picture from outside in it is refused
        assert status == 0, out + err
        page = (scene.out / "report" / "smoke" / "report.html").read_text(encoding="utf-8")
        assert_harmless(page)
        assert "alert(1)" in page or "x.invalid" in page or "=html" in page, "it is there, as text"
    finally:
        files.save_json(path, content)


@pytest.mark.fault("Script in the outputs and texts of an executed notebook", TEXT)
@pytest.mark.parametrize("evil", EVIL)
def test_an_executed_notebook_brings_no_script_into_its_page(scene, tmp_path, evil):
    node = json.loads(scene.notebooks(f"{SLOW}.ipynb").read_text(encoding="utf-8"))
    for cell in node["cells"]:
        cell["source"] = (
            "".join(cell["source"]) + f"\n{evil}"
            if cell["cell_type"] == "markdown"
            else cell["source"]
        )
        for output in cell.get("outputs", ()):
            for kind in ("text/html", "text/plain", "text/markdown"):
                output.setdefault("data", {})[kind] = (
                    evil
                    if output["output_type"] == "display_data"
                    else output.get("data", {}).get(kind, "")
                )
            if output["output_type"] == "stream":
                output["text"] = evil
                del output["data"]
    node["cells"][1].setdefault("outputs", []).append(
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {
                "text/html": evil,
                "application/javascript": "alert(1)",
                "image/svg+xml": f"<svg onload='alert(1)'>{evil}</svg>",
            },
        }
    )
    node["cells"] = [
        cell for cell in node["cells"] if cell["cell_type"] == "code" or cell.pop("outputs", True)
    ]
    (tmp_path / "x.ipynb").write_text(json.dumps(node))
    report.page_of_run(tmp_path / "x.ipynb", tmp_path / "x.html")
    assert_harmless((tmp_path / "x.html").read_text(encoding="utf-8"))


@pytest.mark.fault(
    "Archive whose members name places outside their folder", "nothing is written outside"
)
@pytest.mark.parametrize(
    "name", ["../evil.npy", "/evil.npy", "..\\evil.npy", "x/../../../evil.npy"]
)
def test_archives_stay_in_their_folder(folders, name, record_property):
    mirror = folders / "mirror"
    mirror.mkdir()
    with zipfile.ZipFile(mirror / "mine.npz", "w") as archive:
        archive.writestr(name, b"evil")
    (mirror / "mine.json").write_text("{}")
    by_hand = paths.DATA / "downloads" / "fingers" / "fingers.zip"
    by_hand.parent.mkdir(parents=True)
    with zipfile.ZipFile(by_hand, "w") as archive:
        archive.writestr(f"train/{name.replace('.npy', '')}_3L.png", b"evil")
    for data in ("mine", "fingers"):
        with pytest.raises(UserError):
            datasets.prepare(data, "real", str(mirror), say=lambda line: None)
    assert not [path for path in folders.rglob("*evil*")] and not os.path.exists("/evil.npy")
    record_property("tries", 2)


def test_arrays_are_always_read_without_pickles():
    found = 0
    sources = {
        path: path.read_text(encoding="utf-8") for path in (paths.ROOT / "helpers").rglob("*.py")
    }
    for path in [*paths.NOTEBOOKS.glob("*.ipynb"), paths.REPORT_SOURCE / "report.ipynb"]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources[path] = "\n".join(
            line
            for cell in cells
            if cell["cell_type"] == "code"
            for line in "".join(cell["source"]).splitlines()
            if not line.startswith(("%", "!"))
        )
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
                found += 1
                assert {word.arg: ast.unparse(word.value) for word in node.keywords}.get(
                    "allow_pickle"
                ) == "False", f"{path}: {ast.unparse(node)}"
            assert not (
                isinstance(node, (ast.Import, ast.ImportFrom))
                and {"pickle", "dill", "joblib", "cloudpickle"}
                & {getattr(node, "module", None), *(name.name for name in node.names)}
            ), path
    assert found >= 3


def test_a_grid_at_work_listens_on_loopback_only(scene):
    scene.results(f"{SLOW}.json").unlink()
    process = scene.start(SLOW, FORCE="1")
    try:
        wait_for(lambda: "epoch" in scene.told(SLOW), 90)
        sockets = {
            os.readlink(f"/proc/{pid}/fd/{fd}")
            for pid in scene.processes()
            for fd in os.listdir(f"/proc/{pid}/fd")
            if os.path.islink(f"/proc/{pid}/fd/{fd}")
        }
        listening = []
        for table in ("tcp", "tcp6"):
            with open(f"/proc/net/{table}", encoding="ascii") as lines:
                for _, local, _, state, *rest in map(str.split, list(lines)[1:]):
                    if state == "0A" and f"socket:[{rest[5]}]" in sockets:
                        listening.append(local.split(":")[0])
        assert len(listening) >= 5, "a kernel alone has five ports"
        assert set(listening) <= {
            "0100007F",
            "00000000000000000000000001000000",
            "0000000000000000FFFF00000100007F",
        }, listening
    finally:
        scene.kill_all()
        process.communicate()
