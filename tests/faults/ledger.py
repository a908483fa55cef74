"""Counts the faults that tests inject, and writes what came of them to the file that `--faults`
names.

A test says which fault it injects and what must hold: `@pytest.mark.fault(FAULT, OUTCOME)`. It
counts as one try, or as many as it records with `record_property("tries", n)`. A fault is lost if
any of its tests fails.
"""

import json
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

faults, run = {}, {"started": time.time(), "file": None}


def pytest_addoption(parser):
    parser.addoption(
        "--faults",
        metavar="FILE",
        help="write fault, tries and outcome of the whole fault suite to this JSON file",
    )


def pytest_configure(config):
    run["file"] = config.getoption("--faults", None)


def pytest_itemcollected(item):
    for mark in item.iter_markers("fault"):
        item.user_properties.append(("fault", mark.args))


def pytest_collection_modifyitems(config, items):
    if run["file"]:  # of the other tests, those that inject a fault
        suite = [
            item
            for item in items
            if item.path.parent.name == "faults" or item.get_closest_marker("fault")
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in suite])
        items[:] = suite


def pytest_runtest_logreport(report):
    properties = dict(report.user_properties)
    if "fault" not in properties or report.when != "call" and report.outcome == "passed":
        return
    name, outcome = properties["fault"]
    entry = faults.setdefault(
        name, {"fault": name, "tries": 0, "held": 0, "outcome": outcome, "skipped": []}
    )
    if report.skipped:
        entry["skipped"].append(
            str(
                report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            ).removeprefix("Skipped: ")
        )
        return
    tries = int(properties.get("tries", 1))
    entry["tries"] += tries
    entry["held"] += tries if report.passed else 0


def pytest_sessionfinish(session):
    if not run["file"] or not faults or hasattr(session.config, "workerinput"):
        return
    from importlib.metadata import version

    content = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - run["started"]),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {
            name: version(name) for name in ("keras", "papermill", "distributed", "numpy")
        },
        "faults": sorted(faults.values(), key=lambda entry: entry["fault"]),
    }
    file = Path(run["file"])
    text = json.dumps(content, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    file.with_suffix(".md").write_text(page(content), encoding="utf-8")


def page(content):
    """The account as a Markdown page to read: fault, tries, what came of it, losses told first."""
    tries = sum(entry["tries"] for entry in content["faults"])
    lost = tries - sum(entry["held"] for entry in content["faults"])
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    rows = [
        f"| {entry['fault']} | {entry['tries']:,} | {_outcome(entry)} |"
        for entry in sorted(content["faults"], key=lambda entry: entry["held"] >= entry["tries"])
    ]
    lines = [
        "# Faults injected by the test suite",
        f"`make test-faults` wrote this page: {tries:,} tries, {lost} lost. Run of "
        f"{content['date'][:10]}, {content['seconds'] / 60:.0f} minutes, on {content['system']}, "
        f"Python {content['python']}, {versions}.",
        "\n".join(["| Fault | Tries | Outcome |", "|:--|--:|:--|", *rows]),
    ]
    return "\n\n".join(lines) + "\n"


def _outcome(entry):
    if not entry["tries"]:
        return f"not tried: {entry['skipped'][0]}"
    lost = entry["tries"] - entry["held"]
    return f"**LOST in {lost} tries**" if lost else entry["outcome"]
