"""The benchmark: its arithmetic, its processes, and the form of what it writes."""

import ast
import json
import os
import subprocess
import sys

import pytest

from benchmarks import __main__ as runner
from benchmarks import data, felt, images, measure, rows, train
from benchmarks.worker import Worker, together
from helpers.store import files, paths

FIELDS = {"ratio", "low", "high", "goal", "better", "unit"}


def counted(values):
    """A measurement that gives one value after another."""
    return iter(values).__next__


def test_two_sides_are_measured_in_turn_and_begin_in_turn():
    calls = []

    def side(name):
        return lambda: calls.append(name) or 1.0

    assert len(measure.alternate(side("a"), side("b"), say=lambda line: None)) == measure.REPEATS
    assert "".join(calls) == "abbaabbaab"


def test_a_repeat_of_a_minute_is_measured_three_times(monkeypatch):
    clock = iter([0.0, 60.0, *range(100, 200)])
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(clock))
    pairs = measure.alternate(counted([2.0] * 9), counted([4.0] * 9), say=lambda line: None)
    assert pairs == [(2.0, 4.0)] * 3


def test_row_holds_median_and_extremes_of_the_ratios():
    pairs = [(1.0, 2.0), (9.0, 3.0), (8.0, 8.0)]
    assert measure.ratios(pairs) == [0.5, 3.0, 1.0]
    assert measure.row(measure.ratios(pairs), 1.5, "higher", "apples") == {
        "ratio": 1.0,
        "low": 0.5,
        "high": 3.0,
        "goal": 1.5,
        "better": "higher",
        "unit": "apples",
    }
    with pytest.raises(ValueError):
        measure.row([1.0], 1, "faster", "apples")


def test_geometric_mean_is_taken_over_networks_within_each_repeat():
    assert measure.geometric_means([[1.0, 2.0, 4.0], [4.0, 8.0, 1.0]]) == pytest.approx(
        [2.0, 4.0, 2.0]
    )
    with pytest.raises(ValueError):
        measure.geometric_means([[1.0, 2.0], [1.0]])


@pytest.mark.parametrize(
    "ratio, better, verdict",
    [(1.5, "higher", True), (1.49, "higher", False), (1.5, "lower", True), (1.51, "lower", False)],
)
def test_goal_is_met_when_the_median_reaches_it(ratio, better, verdict):
    assert measure.met({"ratio": ratio, "goal": 1.5, "better": better}) is verdict


def test_seeds_side_by_side_count_together_from_first_start_to_last_end():
    assert train.rate([(100, 10.0, 20.0), (100, 10.5, 30.0)]) == 200 / 20


def test_failed_command_tells_what_it_said(tmp_path):
    seconds, said = measure.command(
        [sys.executable, "-c", "print('well')"], tmp_path, dict(os.environ)
    )
    assert seconds > 0 and said.strip() == "well"
    with pytest.raises(RuntimeError, match="status 3: broken"):
        measure.command(
            [sys.executable, "-c", "import sys; print('broken', file=sys.stderr); sys.exit(3)"],
            tmp_path,
            dict(os.environ),
        )


def test_processor_seconds_count_processes_that_outlive_their_parent():
    burn = "import os, time\nwhile time.process_time() < 0.5: pass"
    orphan = f"import os\nif not os.fork():\n    if os.fork(): os._exit(0)\n    exec({burn!r})"
    command = [sys.executable, "-c", f"{orphan}\nos._exit(0)"]
    assert 0.4 < felt.processor_seconds(command, {}) < 2


def test_workers_are_processes_with_the_threads_they_are_given(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with (
        Worker(told, "OMP_NUM_THREADS", threads=3) as one,
        Worker(told, "OMP_NUM_THREADS") as other,
    ):
        (first, threads), (second, nothing) = together(one, other)
        assert one.measure() == (first, "3")
    assert len({os.getpid(), first, second}) == 3 and threads == "3" and nothing is None
    assert "OMP_NUM_THREADS" not in os.environ


def told(name):
    """A measurement for a worker: its process and a variable of its environment."""
    return lambda: (os.getpid(), os.environ.get(name))


def test_worker_that_fails_says_why():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        Worker(divided, 0).ready()


def divided(by):
    """Fails while it is made ready."""
    return 1 / by


def test_images_are_repeated_from_the_front():
    assert images.repeated([1, 2, 3], 7).tolist() == [1, 2, 3, 1, 2, 3, 1]


def test_files_for_the_data_rows_are_read_back_by_our_reader(tmp_path, monkeypatch, stand_ins):
    from helpers import datasets
    from helpers.datasets import official

    stand_ins("mnist")
    monkeypatch.setattr(data, "COUNTS", {"train": 130, "test": 110})
    sums = data.write_files(tmp_path)
    wanted = {file: (f"http://127.0.0.1/{file}", *facts) for file, facts in sums.items()}
    arrays, _ = official.mnist("mnist", tmp_path, wanted, lambda line: None)
    drawn = datasets.load("mnist", mode="stand-in")
    assert (
        arrays["x_train"].shape == (130, 28, 28)
        and (arrays["x_train"] == drawn.x_train[:130]).all()
        and (arrays["y_test"] == drawn.y_test[:110]).all()
    )


def test_every_row_has_a_goal_a_step_and_a_function():
    import importlib

    issue = {
        "train",
        "augment",
        "augment_pipeline",
        "start",
        "noop",
        "load",
        "prepare",
        "scale",
        "report",
    }
    long = {"grid", "time_to_accuracy", "search", "overhead", "suite", "cold"}
    assert set(rows.STEPS) == issue and set(rows.LONG) == long
    assert {name.split(".")[0] for name in rows.GOALS} == set(rows.STEPS) | set(rows.LONG)
    for name, module in (rows.STEPS | rows.LONG).items():
        assert callable(getattr(importlib.import_module(f"benchmarks.{module}"), name))


def test_row_of_the_grid_has_a_run_of_each_notebook():
    from benchmarks.whole import GRID
    from helpers import runs

    notebooks = [runs.entry(run)["notebook"] for run in GRID]
    assert sorted(notebooks) == sorted({runs.entry(run)["notebook"] for run in runs.select()})


def test_unknown_row_is_refused(capsys):
    assert runner.main(["--rows", "train,speed"]) == 2
    assert "there is no row speed. The rows are: load," in capsys.readouterr().err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A place of its own for the result."""
    monkeypatch.setattr(runner, "RESULT", tmp_path / "bench.json")
    monkeypatch.setattr(runner, "MACHINE", tmp_path / "bench-machine.json")
    return tmp_path


def test_measured_row_replaces_itself_and_its_parts_and_leaves_the_others(
    folder, monkeypatch, capsys
):
    from benchmarks import scale, whole

    old = measure.row([1.0], 1, "higher", "old")
    files.save_json(
        runner.RESULT, {"train": old, "train.mnist-mlp": old, "scale": old, "noop": old}
    )
    monkeypatch.setattr(
        scale, "scale", lambda say: {"scale": [1.0, 0.9, 0.8], "scale.memory": [2.0]}
    )
    monkeypatch.setattr(whole, "noop", lambda say: {"noop": [0.5]})
    assert runner.main(["--rows", "scale,noop"]) == 0
    held = files.load_json(runner.RESULT)
    assert list(held) == ["train", "noop", "scale", "scale.memory", "train.mnist-mlp"]
    assert held["scale"] == {
        "ratio": 0.9,
        "low": 0.8,
        "high": 1.0,
        "goal": 0.95,
        "better": "higher",
        "unit": rows.GOALS["scale"][2],
    }
    told = capsys.readouterr().out
    assert told.count("NOT MET") == 2 and "scale.memory" in told
    assert set(files.load_json(runner.MACHINE)) == {"scale", "noop"}


def check(entries):
    """The form that readers of bench.json rely on."""
    measured = {name.split(".")[0] for name in entries}
    assert set(rows.STEPS) <= measured <= set(rows.STEPS | rows.LONG) and set(entries) == {
        name for name in rows.GOALS if name.split(".")[0] in measured
    }
    for name, entry in entries.items():
        assert (
            set(entry) == FIELDS
            and (entry["goal"], entry["better"], entry["unit"]) == rows.GOALS[name]
        ), name
        assert entry["low"] <= entry["ratio"] <= entry["high"] and (
            entry["low"] > 0 or name in ("search", "time_to_accuracy.accuracy")
        ), name


def test_result_holds_every_row_in_the_form_that_is_relied_on():
    entries = files.load_json(paths.ROOT / "report/bench.json")
    if entries is None:
        pytest.skip("make bench has not run")
    check(entries)
    assert set(json.loads((paths.ROOT / "report/bench-machine.json").read_text())) == {
        name.split(".")[0] for name in entries
    }


def test_notes_tell_what_was_measured():
    notes = (paths.ROOT / "benchmarks" / "NOTES.md").read_text(encoding="utf-8").splitlines()
    told = {
        line.split("`")[1]: [cell.strip() for cell in line.split("|")[3:6]]
        for line in notes
        if line.startswith("| `") and line.count("|") == 6
    }
    assert told == {
        name: [
            f"{entry['ratio']:.3g} ({entry['low']:.3g} to {entry['high']:.3g})",
            f"{'≥' if entry['better'] == 'higher' else '≤'} {entry['goal']:g}",
            "met" if measure.met(entry) else "not met",
        ]
        for name, entry in files.load_json(paths.REPORT_SOURCE / "bench.json").items()
    }


def test_notebooks_are_handled_without_the_grammars_that_they_do_not_need():
    code = (
        "from helpers.store import startup; startup.without_grammars(); "
        "import sys, papermill, nbformat; from nbformat.v4 import new_notebook; "
        "nbformat.validate(new_notebook()); "
        "print(sys.modules['rfc3987_syntax'], 'lark' in sys.modules)"
    )
    assert subprocess.run(
        [sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True
    ).stdout.split() == ["None", "False"]


def test_report_loads_no_keras():
    notebook = json.loads((paths.ROOT / "report/report.ipynb").read_text(encoding="utf-8"))
    setup = next(
        "".join(cell["source"])
        for cell in notebook["cells"]
        if "setup" in cell["metadata"].get("tags", [])
    )
    imports = [node for node in ast.parse(setup).body if "Import" in type(node).__name__]
    code = "; ".join(
        [
            *map(ast.unparse, imports),
            "import sys; print(*sorted({'keras', 'tensorflow'} & set(sys.modules)))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    assert len(imports) > 3 and done.stdout.split() == []
