"""The grid: what is stale and why, what is refused, what one failed run leaves alone."""

import gc
import io
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from test_results import made, outcomes  # noqa: F401  (fixtures: a tiny record of mnist-mlp)

from grid import __main__ as grid
from grid import execution, progress, states
from helpers import batches, datasets, results, runs
from helpers.datasets import copies, downloads, standins
from helpers.store import files, machine, paths


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """Whatever a test or the grid itself puts into the environment goes with the test."""
    for name in (*progress.PASSED_ON, "SCHEDULER", "SEEDS", "RUN_FINGERPRINT"):
        if name not in ("DATA_DIR", "OUT", "KERAS_REPORTS_ONLINE"):
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)


# --- staleness ------------------------------------------------------------------------------------


def hold(meta, kind="official", name="mnist"):
    """Puts the provenance of a prepared data set into the data folder, all that the grid reads."""
    meta = {**{key: "" for key in copies.RECORDED}, **meta, "kind": kind}
    files.save_json(copies.folder(name, kind) / "meta.json", meta)
    return meta


@pytest.fixture
def fresh(made, tiny):  # noqa: F811
    """An up-to-date record of mnist-mlp under smoke, and its data."""
    hold(tiny.meta)
    content, predictions = made(seeds=runs.parameters("mnist-mlp", "smoke")["seeds"])
    results.save(content, predictions)
    return content


def why(run="mnist-mlp", profile="smoke"):
    """Why the grid would execute a run."""
    (state,) = states.read([run], profile)
    return state.why


def test_a_record_that_still_holds_is_not_stale(fresh):
    assert why() == ""
    os.utime(paths.results("smoke") / "mnist-mlp.json", (1, 1))
    assert why() == "", "times do not matter"


def test_a_run_without_record_is_stale(fresh):
    assert why("mnist-cnn") == "no record"
    assert why(profile="quick") == "no record"


@pytest.mark.parametrize("name", ["mnist-mlp.json", "mnist-mlp.npz", "mnist-mlp.sha256"])
def test_a_damaged_record_makes_a_run_stale(fresh, name):
    path = paths.results("smoke") / name
    path.write_bytes(path.read_bytes()[:-9])
    assert why().startswith(f"{name} damaged") or name.endswith("sha256") and "damaged" in why()


@pytest.mark.parametrize("changed, said", [(True, "parameters, data or code changed"), (False, "")])
def test_a_changed_file_of_the_mirror_makes_a_run_stale(
    fresh, tmp_path, monkeypatch, capsys, changed, said
):
    meta = {**hold({**fresh["dataset"]}), "mirror_sha256": "0" * 64}
    files.save_json(copies.folder("mnist", "official") / "meta.json", meta)
    files.save_json(tmp_path / "mnist.json", {"sha256": ("1" if changed else "0") * 64})
    monkeypatch.setenv("MIRROR", str(tmp_path))
    monkeypatch.setattr(datasets, "prepare", lambda name: {**meta, "sha256": "another"})
    assert why() == said

    def fails(name):
        raise paths.UserError("The mirror is damaged.")

    monkeypatch.setattr(datasets, "prepare", fails)
    assert why() == "", "the record stands where its data cannot be made again"
    told = "The mirror is damaged. Records of mnist are taken as they are.\n"
    assert capsys.readouterr().out == told * changed


def test_a_notebook_that_is_no_python_is_the_fault_of_its_own_run(fresh, monkeypatch):
    cells, broken = runs.code.cells, runs.entry("mnist-cnn")["notebook"]
    wrong = [(99, [], "x = = 1")]
    monkeypatch.setattr(runs.code, "cells", lambda name: cells(name) + wrong * (name == broken))
    monkeypatch.setattr(runs.code, "result_cells", runs.code.result_cells.__wrapped__)
    state, other = states.read(["mnist-cnn", "mnist-mlp"], "smoke")
    assert f"{broken}, cell 99 is not Python" in state.fault and not other.fault


def test_missing_predictions_make_a_run_stale_and_a_missing_manifest_does_not(fresh):
    (paths.results("smoke") / "mnist-mlp.sha256").unlink()
    assert why() == "", "an older record, or one that was copied"
    (paths.results("smoke") / "mnist-mlp.npz").unlink()
    assert why() == "mnist-mlp.npz damaged or missing"


def test_an_executed_notebook_is_a_build_product_that_is_never_checked(fresh):
    notebook = paths.executed("smoke") / "mnist-mlp.ipynb"
    assert not notebook.exists() and why() == ""
    files.save_bytes(notebook, b"edited")
    assert why() == ""
    files.save_bytes(notebook.with_name(".mnist-mlp.partial.ipynb"), b"{}")
    assert why() == ""
    notebook.unlink()
    assert why() == "interrupted before its notebook was kept"


def test_each_record_and_each_data_set_is_read_once(fresh, monkeypatch, capsys, nothing_runs):
    read = []
    load, prepared = results.load, datasets.prepared
    monkeypatch.setattr(results, "load", lambda _, run: read.append(run) or load("smoke", run))
    monkeypatch.setattr(datasets, "prepared", lambda name: read.append(name) or prepared(name))
    states.read(["mnist-mlp", "mnist-cnn"], "smoke")
    assert sorted(read) == ["mnist", "mnist-cnn", "mnist-mlp"]
    read.clear()
    assert grid.main(["--profile", "smoke", "--runs", "mnist-mlp"]) == 0
    assert sorted(read) == ["mnist", "mnist-mlp"]


def test_a_changed_fingerprint_makes_a_run_stale(fresh, tiny, monkeypatch):
    hold({**tiny.meta, "sha256": "other images"})
    assert why() == "parameters, data or code changed"
    hold(tiny.meta)
    assert why() == ""
    other_results(monkeypatch)
    assert why() == "parameters, data or code changed"


def other_results(monkeypatch):
    """As if training.RESULTS had been raised."""
    fingerprint = runs.fingerprint
    monkeypatch.setattr(runs, "fingerprint", lambda *inputs: fingerprint(*inputs)[::-1])


def test_a_record_is_trusted_where_its_data_are_not_there(fresh):
    shutil.rmtree(paths.DATA)
    assert why() == "", "a clone that carries records reruns nothing"


def test_a_stand_in_on_disk_does_not_unsettle_a_real_record(fresh, tiny):
    shutil.rmtree(paths.DATA)
    hold({**tiny.meta, "sha256": "drawn"}, "stand-in")
    assert why() == ""


def test_a_stand_ins_record_gives_way_where_real_images_are_asked_for(made, tiny, monkeypatch):  # noqa: F811
    hold(tiny.meta, "stand-in")
    results.save(*made(seeds=runs.parameters("mnist-mlp", "smoke")["seeds"], kind="stand-in"))
    assert why() == ""
    monkeypatch.setenv("DATA", "real")
    assert why() == "real images instead of stand-ins"
    monkeypatch.delenv("DATA")
    hold({**tiny.meta, "sha256": "real ones"})
    assert why() == "parameters, data or code changed"


def test_missing_seeds_are_told_and_too_many_do_no_harm(fresh, monkeypatch):
    have = len(fresh["seeds"])
    monkeypatch.setenv("SEEDS", str(have + 3))
    assert why() == f"{have} of {have + 3} seeds"
    monkeypatch.setenv("SEEDS", "1")
    assert why() == ""


def test_what_is_wrong_with_a_run_stops_no_other(fresh, monkeypatch, capsys):
    parameters, told = runs.parameters, "Run mnist-cnn: parameter epochs is 0."

    def wrong(run, profile):
        if run == "mnist-cnn":
            raise paths.UserError(told)
        return parameters(run, profile)

    monkeypatch.setattr(runs, "parameters", wrong)
    monkeypatch.setenv("FORCE", "1")
    executed = []
    watched = {"mnist-mlp": (True, "done")}
    monkeypatch.setattr(progress, "watch", lambda stale: executed.extend(stale) or watched)
    assert grid.main(["--profile", "smoke", "--runs", "mnist-mlp,mnist-cnn"]) == 1
    assert [state.run for state in executed] == ["mnist-mlp"]
    out = capsys.readouterr().out
    assert f"mnist-cnn  FAILED: {told}" in out and "1 runs done, 1 failed." in out
    assert "1 FORCE=1; 1 cannot be executed" in out
    assert grid.main(["--profile", "smoke", "--runs", "mnist-cnn"]) == 2
    assert capsys.readouterr().err == f"Error: {told}\n"


def own_set(count):
    """As many training images of three classes, half as many test images."""
    y = np.arange(count, dtype=np.uint8) % 3
    x, meta = np.zeros((count, 8, 8), np.uint8), {"sha256": "", "title": "Own", "kind": "own"}
    meta |= {"name": "own", "class_names": list("abc"), "classes": 3, "train": count}
    half = count // 2
    arrays = {"x_train": x, "y_train": y, "x_test": x[:half], "y_test": y[:half]}
    return datasets.Dataset(
        "own", **arrays, hand_train=None, hand_test=None, meta=meta | {"test": half}
    )


@pytest.fixture
def drawn(folders, monkeypatch, tmp_path):
    """Prepares three data sets from small stand-ins; returns the processes that drew each."""
    (tmp_path / "drew").mkdir()
    real, grid_itself = standins.draw, os.getpid()

    def draw(name, broken=""):
        (tmp_path / "drew" / f"{name} {os.getpid()}").touch()
        if name == broken and os.getpid() != grid_itself:
            raise paths.UserError("No space.")
        return real(name, (150, 100))

    def prepare(**broken):
        monkeypatch.setattr(standins, "draw", lambda name: draw(name, **broken))
        monkeypatch.setattr(machine, "cores", lambda: 2)
        names = ("mnist-mlp", "fashion-dense", "emnist-first-letters")
        values = [{"dataset": runs.parameters(run, "smoke")["dataset"]} for run in names]
        assert not states.prepare([states.State(v["dataset"], "", v, None, None) for v in values])
        drew = {}
        for name, process in (path.name.split() for path in (tmp_path / "drew").iterdir()):
            drew.setdefault(name, set()).add(int(process))
        assert all(datasets.prepared(v["dataset"]) for v in values)
        return drew

    return prepare


by_fork = pytest.mark.skipif(sys.platform != "linux", reason="others do not see the small sets")


@by_fork
def test_stand_ins_are_drawn_side_by_side_once_each(drawn, monkeypatch):
    monkeypatch.setenv("DATA", "stand-in")
    drew = drawn()
    assert [len(processes) for processes in drew.values()] == [1, 1, 1]
    processes = set.union(*drew.values())
    assert len(processes) == 2 and os.getpid() not in processes


@by_fork
def test_what_could_not_be_drawn_side_by_side_is_drawn_by_the_grid(drawn, monkeypatch):
    monkeypatch.setenv("DATA", "stand-in")
    drew = drawn(broken="mnist")
    assert os.getpid() in drew["mnist"] and len(drew["mnist"]) == 2
    assert os.getpid() not in drew["fashion_mnist"]


def test_where_files_can_be_downloaded_sets_are_prepared_one_by_one(drawn, monkeypatch):
    monkeypatch.setenv("KERAS_REPORTS_ONLINE", "1")
    monkeypatch.setattr(datasets.official, "read", unavailable)
    assert set.union(*drawn().values()) == {os.getpid()}


def unavailable(*arguments, **settings):
    raise downloads.Unavailable("its server is down")


@pytest.mark.parametrize("count", [12, 19, 20, 40, 1000])
@pytest.mark.parametrize("train, validation", [(0, 0), (16, 0), (500, 100), (0, -1), (0, 18)])
def test_a_set_too_small_for_its_halvings_is_refused_before_any_training(
    folders, monkeypatch, count, train, validation
):
    data = own_set(count)
    whole = batches.split(data, train, validation).sizes["train"]
    values = {"dataset": "own", "train_images": train, "validation_images": validation}
    monkeypatch.setattr(datasets, "prepare", lambda name: data.meta)
    runs_of_it = [
        states.State(str(number), "smoke", values | {"halvings": number}, None, None)
        for number in (0, 1, 2, 3, 4, 5, 10)
    ]
    refused = states.prepare(runs_of_it)
    assert set(refused) == {str(number) for number in (3, 4, 5, 10) if 2**number > whole}
    assert f"halvings=10 asks for 1,024 training images, Own has {whole}: choose" in refused["10"]
    best = int(re.search(r"choose halvings=(\d+)", refused["10"])[1])
    assert 2**best <= whole < 2 ** (best + 1)


def test_a_run_that_halves_nothing_asks_for_no_images(folders):
    values = runs.parameters("mnist-mlp", "smoke")
    assert not states._halved_to_nothing(values, {"train": 1, "test": 1, "classes": 2})
    assert not states._halved_to_nothing(values | {"halvings": 0}, {"train": 1})


def test_without_a_terminal_what_is_at_work_is_told_from_time_to_time(monkeypatch, capsys):
    monkeypatch.setattr(progress, "HEARTBEAT", 0.05)
    with progress._heartbeat(lambda: "at work"):
        time.sleep(0.5)
    first = capsys.readouterr().out.splitlines()
    time.sleep(0.2)
    assert len(first) > 2 and set(first) == {"at work"}
    assert not capsys.readouterr().out, "it ends with the work"


@pytest.mark.parametrize("done, left", [(0, ""), (2, ", about 4 min left"), (6, "")])
def test_progress_shows_a_count_a_bar_an_estimate_and_what_is_at_work(folders, done, left):
    stale = states.read(list(runs.select())[:6], "smoke")
    files.save_json(execution.progress_file("mnist-cnn", "smoke"), {"text": "epoch 3/20"})
    head, *at_work = progress._now(stale, done, 120).splitlines()
    assert head.endswith(f" {done} of 6 runs{left}") and head.count("#") == 4 * done
    assert at_work == ["  mnist-cnn: epoch 3/20"], "those that wait are not shown"
    assert max(map(len, (head, *at_work))) < 80


def test_the_longest_runs_start_first_and_before_it_is_known_those_of_several_networks(
    monkeypatch,
):
    """Then those that took longest for the committed edition."""

    def order(**took):
        stale = []
        for run, seconds in took.items():
            record = {"seeds": [{"seconds": each} for each in seconds]} if seconds else None
            values = runs.parameters(run, "quick")
            stale.append(states.State(run, "quick", values, record, None))
        return [state.run for state in sorted(stale, key=execution.size, reverse=True)]

    mlp, cnn, audit, hands = "mnist-mlp", "mnist-cnn", "audit-fingers", "fingers-ivannet-plain"
    assert order(**{mlp: [], "k49-search": [], hands: []}) == ["k49-search", hands, mlp]
    assert order(**{mlp: [9.0], audit: [3.0, 2.0], cnn: [40.0]}) == [cnn, mlp, audit]
    assert order(**{mlp: [9.0], audit: [], cnn: []}) == [audit, cnn, mlp]
    monkeypatch.setitem(runs.entry(hands), "cores", 2)
    assert order(**{mlp: [], "k49-search": [], hands: []}) == [hands, "k49-search", mlp]


@pytest.mark.parametrize("done, left", [(0, ""), (5, ""), (6, ", about 18 min left"), (59, "")])
def test_no_estimate_is_made_from_the_first_few_runs_which_are_the_longest(folders, done, left):
    stale = (states.read(list(runs.select()), "smoke") * 2)[:59]
    assert progress._now(stale, done, 120).endswith(f" {done} of 59 runs{left}")


@pytest.mark.parametrize("columns", [80, 60, 40])
@pytest.mark.parametrize("name", ["mnist-mlp", "fingers-carlosnet-plain-fast"])
def test_what_is_at_work_takes_a_line_a_run_on_a_narrow_terminal(
    folders, monkeypatch, columns, name
):
    import distributed
    import rich.live
    from rich.console import Console, Group

    stale, seen = states.read([name, "mnist-cnn"], "smoke"), []
    text = {"text": "seed 10, epoch 128/150, validation accuracy 0.9899, loss 0.1234"}
    for state in stale:
        files.save_json(execution.progress_file(state.run, "smoke"), text)

    class Live:
        def __init__(self, get_renderable, transient):
            console = Console(width=columns, file=io.StringIO())
            console.print(Group(get_renderable()))
            seen.extend(console.file.getvalue().splitlines())

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(rich.live, "Live", Live)
    monkeypatch.setattr(distributed, "as_completed", lambda futures: ())
    monkeypatch.setattr(sys, "stdout", Terminal())
    progress._follow(dict(enumerate(stale)))
    assert len(seen) == 3 and max(map(len, seen)) <= columns
    assert seen[0].startswith("  ....") and seen[1].startswith(f"  {name}: "[:38])


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_force_makes_everything_stale(fresh, monkeypatch):
    monkeypatch.setenv("FORCE", "1")
    assert why() == "FORCE=1"
    monkeypatch.setenv("FORCE", "")
    assert why() == ""


class Client:
    """Takes what the grid submits."""

    def __init__(self, *offered):
        self.offered, self.taken = offered, None

    def scheduler_info(self, **_):
        return {
            "workers": {
                str(number): {"resources": {"cores": cores} if cores else {}}
                for number, cores in enumerate(self.offered)
            }
        }

    def submit(self, function, *arguments, **options):
        self.taken = (function, arguments, options)


def submitted(run, *offered):
    """What is handed to Dask for a run: its parameters, its environment, and the options."""
    client, (state,) = Client(*offered), states.read([run], "smoke")
    states.prepare([state])
    progress.submit(client, state, 0)
    _, (work, environment), options = client.taken
    return work["values"], environment, options


def test_a_run_goes_on_at_the_first_seed_that_is_missing(fresh, monkeypatch):
    have = len(fresh["seeds"])
    monkeypatch.setenv("SEEDS", str(have + 2))
    values, environment, _ = submitted("mnist-mlp", 2)
    assert values["first_seed"] == have and values["seeds"] == have + 2
    assert environment["RUN_FINGERPRINT"] == fresh["fingerprint"]
    monkeypatch.setenv("FORCE", "1")
    assert submitted("mnist-mlp", 2)[0]["first_seed"] == 0, "forced, it starts anew"


def test_a_run_of_another_code_starts_anew(fresh, monkeypatch):
    monkeypatch.setenv("SEEDS", "5")
    other_results(monkeypatch)
    assert submitted("mnist-mlp", 2)[0]["first_seed"] == 0


def test_large_networks_get_the_cores_they_ask_for_where_there_are_so_many(
    fresh, tiny, monkeypatch
):
    hold({**tiny.meta, "name": "fingers"}, name="fingers")
    assert submitted("mnist-mlp", 2)[2]["resources"] == {"cores": 1}
    large = "fingers-ivannet-plain"
    monkeypatch.setitem(runs.entry(large), "cores", 2)
    assert submitted(large, 2)[2]["resources"] == {"cores": 2}
    assert submitted(large, 1, 1)[2]["resources"] == {"cores": 1}, "no worker has two"
    assert submitted("mnist-mlp", None)[2]["resources"] is None, "a cluster without such a resource"


@pytest.mark.parametrize(
    "environment, platform",
    [
        ({"SCHEDULER": "tcp://host:8786"}, "linux"),
        ({"KERAS_BACKEND": "jax"}, "linux"),
        ({}, "darwin"),
    ],
)
def test_where_a_fork_may_not_be_sound_each_run_imports_keras_itself(
    monkeypatch, environment, platform
):
    monkeypatch.setattr(progress.forkserver, "ensure_running", lambda: pytest.fail("started"))
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not progress._importing()


def test_where_nothing_can_be_forked_each_run_imports_keras_itself(monkeypatch):
    def refuse():
        raise OSError("AF_UNIX path too long")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(progress.forkserver, "ensure_running", refuse)
    assert not progress._importing()


def test_where_the_import_has_failed_each_run_tries_itself(monkeypatch):
    class Ended:
        def __init__(self, target):
            pass

        def start(self):
            raise EOFError

    monkeypatch.setattr(progress, "ForkServerProcess", Ended)
    assert not progress._can_fork()


@pytest.mark.parametrize("cores, forked", [(1, True), (2, False)])
def test_a_run_on_several_cores_is_not_forked_from_a_process_with_one_thread(
    fresh, monkeypatch, cores, forked
):
    monkeypatch.setitem(runs.entry("mnist-mlp"), "cores", cores)
    client, (state,) = Client(2), states.read(["mnist-mlp"], "smoke")
    states.prepare([state])
    progress.submit(client, state, 0, forked=True)
    assert client.taken[1][0]["forked"] is forked


# --- what a user's own settings may change: nothing -----------------------------------------------


def test_a_users_own_keras_and_matplotlib_settings_change_nothing(tmp_path):
    settings = {"floatx": "float64", "image_data_format": "channels_first", "epsilon": 0.1}
    files.save_json(tmp_path / ".keras" / "keras.json", {**settings, "backend": "torch"})
    files.save_bytes(tmp_path / ".config" / "matplotlib" / "matplotlibrc", b"lines.linewidth: 9")
    code = (
        "from helpers.store import startup; startup.settle()\n"
        "from helpers.store.backend import keras; import matplotlib\n"
        "print(keras.config.floatx(), keras.config.image_data_format(), keras.config.epsilon(),\n"
        "    keras.backend.backend(), matplotlib.rcParams['lines.linewidth'])"
    )
    outer = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=paths.ROOT,
        env={**outer, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["float32", "channels_last", "1e-07", "tensorflow", "1.5"]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other processors")
@pytest.mark.parametrize("own, taken", [(None, "1"), ("0", "0")])
def test_older_x86_processors_get_the_library_that_newer_ones_have_by_default(own, taken):
    name = "TF_ENABLE_ONEDNN_OPTS"
    outer = {key: value for key, value in os.environ.items() if key != name}
    code = f"import os; from helpers.store import backend; print(os.environ[{name!r}])"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=paths.ROOT,
        env=outer | ({name: own} if own else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [taken]


# --- what is refused: one line, status 2, nothing lost --------------------------------------------


def refused(capsys, *arguments):
    status = grid.main(list(arguments))
    told = capsys.readouterr()
    assert status != 0
    assert (
        told.err.startswith("Error: ")
        and told.err.count("\n") == 1
        and "Traceback" not in told.err + told.out
    )
    return told.err


@pytest.fixture
def nothing_runs(monkeypatch):
    """Bad settings must be found before anything is executed."""
    monkeypatch.setattr(execution, "execute", lambda *_: pytest.fail("executed"))


@pytest.mark.parametrize(
    "arguments, environment, message",
    [
        (["--profile", "fast"], {}, "Unknown profile fast. The profiles are: smoke, quick, full."),
        (["--runs", "mnist-mpl"], {}, "Unknown run mnist-mpl: did you mean mnist-mlp?"),
        (["--runs", "mnist-mlp,nothing"], {}, "Unknown run nothing"),
        (
            [],
            {"KERAS_BACKEND": "theano"},
            "KERAS_BACKEND=theano: use tensorflow, jax or torch.",
        ),
        ([], {"SCHEDULER": "myhost:8786"}, "SCHEDULER=myhost:8786: give the tcp:// address"),
        ([], {"SCHEDULER": "tcp://myhost"}, "SCHEDULER=tcp://myhost: give the tcp:// address"),
        ([], {"SCHEDULER": "http://myhost:8787"}, "give the tcp:// address that `dask scheduler`"),
        ([], {"FORCE": "yes"}, "FORCE=yes: give 1 to run everything again"),
        ([], {"LIMIT": "0"}, "LIMIT=0: give the seconds"),
        ([], {"DATA": "bad"}, "Unknown DATA=bad: choose auto, real, stand-in"),
        ([], {"MIRROR": "no/such/folder"}, "There is no mirror folder"),
        ([], {"SEEDS": "many"}, "SEEDS=many: give a whole number"),
        ([], {"LIMIT": "soon"}, "LIMIT=soon: give the seconds"),
        ([], {"DATA": "real"}, "There are no real images of mnist"),
        (["--profile", "full"], {"DATA": "stand-in"}, "Profile full is for real images only"),
        (["--profile", "full"], {}, "There are no real images of mnist"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, (list, dict)) else None,
)
def test_bad_settings_give_one_line(
    folders, monkeypatch, capsys, nothing_runs, arguments, environment, message
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    arguments = arguments if "--runs" in arguments else [*arguments, "--runs", "mnist-mlp"]
    assert message in refused(
        capsys, *(arguments if "--profile" in arguments else ["--profile", "smoke", *arguments])
    )
    assert not list(folders.rglob("*.json")), "nothing was begun"


def test_an_output_folder_that_cannot_be_written_gives_one_line(
    folders, monkeypatch, capsys, nothing_runs, tiny
):
    hold(tiny.meta)
    (folders / "file").write_text("in the way")
    monkeypatch.setattr(paths, "OUT", folders / "file")
    assert "OUT=DIR" in refused(capsys, "--profile", "smoke", "--runs", "mnist-mlp")


def test_a_data_folder_that_cannot_be_written_gives_one_line(
    folders, monkeypatch, capsys, nothing_runs
):
    (folders / "file").write_text("in the way")
    monkeypatch.setattr(paths, "DATA", folders / "file" / "data")
    monkeypatch.setattr(datasets.standins, "draw", lambda name: pytest.fail("drawn in vain"))
    assert "DATA_DIR=DIR" in refused(capsys, "--profile", "smoke", "--runs", "mnist-mlp")


def test_a_scheduler_that_does_not_answer_gives_one_line(
    folders, monkeypatch, capsys, nothing_runs, tiny
):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    hold(tiny.meta)
    monkeypatch.setenv("SCHEDULER", address)
    import distributed

    connect = distributed.Client
    monkeypatch.setattr(
        distributed, "Client", lambda address, timeout: connect(address, timeout="1s")
    )
    assert f"No Dask scheduler answers at {address}" in refused(
        capsys, "--profile", "smoke", "--runs", "mnist-mlp"
    )


@pytest.mark.parametrize("pauses, connects", [(1, True), (2, False)])
def test_a_pause_while_dask_begins_costs_one_more_try(monkeypatch, pauses, connects):
    left = [AssertionError] * pauses

    def connected():
        if left:
            raise left.pop()
        return "a client"

    monkeypatch.setattr(progress, "_connected", connected)
    if connects:
        assert progress._client() == "a client"
    else:
        with pytest.raises(AssertionError):
            progress._client()


@pytest.mark.parametrize("address", ["tls://127.0.0.1:1", "udp://127.0.0.1:1"])
def test_a_scheduler_of_a_kind_that_there_is_not_gives_one_line(
    folders, monkeypatch, capsys, nothing_runs, tiny, address
):
    hold(tiny.meta)
    monkeypatch.setenv("SCHEDULER", address)
    assert f"No Dask scheduler answers at {address}" in refused(
        capsys, "--profile", "smoke", "--runs", "mnist-mlp"
    )
    import distributed

    left = [one for one in gc.get_objects() if type(one) is distributed.Client]
    assert not left, "a half-made client that is collected later can wait for a lock for ever"


def test_a_scheduler_without_workers_is_waited_for_in_words(monkeypatch, capsys):
    import distributed

    class Empty(Client):
        def wait_for_workers(self, count):
            self.offered = (2,) * count

    monkeypatch.setattr(distributed, "Client", lambda address, timeout: Empty())
    monkeypatch.setenv("SCHEDULER", "tcp://host:8786")
    progress._client()
    assert capsys.readouterr().out.splitlines() == [
        "Waiting for a worker: `dask worker tcp://host:8786` starts one.",
        "Dask cluster at tcp://host:8786: 1 workers.",
    ]


def test_an_unknown_option_gives_the_usage_and_status_two(capsys):
    with pytest.raises(SystemExit) as ended:
        grid.main(["--profil"])
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


def test_what_is_stale_is_listed_and_nothing_executed(fresh, capsys, nothing_runs):
    assert grid.main(["--profile", "smoke", "--runs", "mnist-mlp,mnist-cnn", "--list"]) == 0
    told = "  mnist-cnn: no record\n1 of 2 runs of profile smoke are to do.\n"
    assert capsys.readouterr().out == told


def test_up_to_date_runs_are_told_and_nothing_is_loaded(fresh, capsys, nothing_runs):
    assert grid.main(["--profile", "smoke", "--runs", " mnist-mlp, "]) == 0
    assert "All 1 runs of profile smoke are up to date" in capsys.readouterr().out


def test_interrupting_the_grid_says_what_is_kept(fresh, monkeypatch, capsys):
    monkeypatch.setenv("FORCE", "1")
    monkeypatch.setattr(progress, "watch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert grid.main(["--profile", "smoke", "--runs", "mnist-mlp"]) == 130
    assert "what was finished is kept" in capsys.readouterr().err


# --- a house of its own, with notebooks that take no time -----------------------------------------

SAVES = """
import os, time
from helpers.store import files, paths
fields = ["run", "notebook", "parameters", "parameter_count", "network_sha256", "extra", "reported",
    "versions", "hardware", "figures"]
folder = paths.results(profile)
files.save_bytes(folder / f"{run}.npz", b"predictions")
files.save_json(folder / f"{run}.json", {**dict.fromkeys(fields), "run": run,
    "finished": time.time(),
    "fingerprint": os.environ["RUN_FINGERPRINT"],
    "dataset": {"kind": "official", "sha256": "sha", "label": "MNIST"},
    "seeds": [{"seed": 0, "test_accuracy": 0.5, "seconds": 1.0}]})
"""
TINY = {
    "good": SAVES,
    "raises": "print('before')\nraise ValueError('much ado')",
    "refuses": "from helpers.store.paths import UserError\nraise UserError('Do that instead.')",
    "exits": "import os\nos._exit(3)",
    "leaves": "import sys\nsys.exit()",
    "hangs": "import time, os\nfrom helpers.store import files, paths\n"
    "files.save_json(paths.OUT / 'kernel.json', os.getpid())\ntime.sleep(600)",
    "silent": "x = 1",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the project with tiny notebooks, executed by the real grid in processes of its own.

    `house(*runs, **environment)` returns exit status, stdout and stderr.
    """
    root = tmp_path_factory.mktemp("a house with spaces é and {braces}")
    for folder in ("helpers", "grid"):
        shutil.copytree(
            paths.ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copytree(paths.ROOT / "report" / "style", root / "report" / "style")
    (root / "notebooks").mkdir()
    table = {"profiles": {"smoke": {}, "quick": {}}, "runs": {}}
    for name, code in TINY.items():
        cells = [
            (["parameters"], f'run = "{name}"\nprofile = "lab"\ndataset = "mnist"'),
            ([], "started = True"),
            ([], code),
        ]
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},  # a notebook need not name a kernel
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{number}",
                    "metadata": {"tags": tags},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
                for number, (tags, source) in enumerate(cells)
            ],
        }
        (root / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))
        table["runs"][name] = {
            "notebook": name,
            "report": "mnist-2019",
            "about": "A test.",
            "parameters": {"dataset": "mnist"},
        }
    (root / "notebooks" / "runs.yaml").write_text(json.dumps(table))  # JSON is YAML
    meta = {
        **{key: "" for key in copies.RECORDED},
        "name": "mnist",
        "title": "MNIST",
        "kind": "official",
        "sha256": "sha",
    }
    files.save_json(root / "data" / "mnist" / "meta.json", meta)

    def start(*names, **environment):
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("OUT", "DATA_DIR")
        }
        return subprocess.Popen(
            [sys.executable, "-m", "grid", "--profile", "smoke", "--runs", ",".join(names)],
            cwd=root,
            text=True,
            env={**inherited, "PYTHONPATH": str(root), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # a shell may have started the tests in the background, where Ctrl-C is ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def grid_of(*names, **environment):
        process = start(*names, **environment)
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in err + out, err + out
        return process.returncode, out, err

    grid_of.root, grid_of.start = root, start
    grid_of.notebooks = root / "report" / "smoke" / "notebooks"
    return grid_of


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.fault(
    "Notebook that raises, exits, hangs past its limit, or saves nothing",
    "named with its reason and its partial notebook; the others finish; exit status 1",
)
@pytest.mark.slow
def test_failing_runs_leave_the_others_alone_and_are_named(house):
    status, out, _ = house(
        "good", "raises", "refuses", "exits", "leaves", "hangs", "silent", LIMIT="30"
    )
    assert status == 1
    assert re.search(r"good: test accuracy 0.5000, MNIST", out)
    summary = out[out.index("\n\n") :]
    for run, reason in {
        "raises": "ValueError: much ado",
        "refuses": "Do that instead.",
        "exits": "DeadKernelError",
        "hangs": "stopped after 30 s",
        "leaves": "ended before it saved its record",
        "silent": "ended before it saved its record",
    }.items():
        assert re.search(rf"{run}  FAILED: .*{re.escape(reason)}", summary), (run, summary)
        partial = house.notebooks / f"{run}.failed.ipynb"
        assert str(partial) in summary and json.loads(partial.read_text())["cells"]
    assert "1 runs done, 6 failed." in summary
    raised = (house.notebooks / "raises.failed.ipynb").read_text()
    assert "before" in raised and "much ado" in raised, "the partial notebook shows how far it came"
    assert (
        not (house.notebooks / "raises.ipynb").exists()
        and (house.notebooks / "good.ipynb").exists()
    )
    left = [path.name for path in house.notebooks.iterdir() if path.name.startswith(".")]
    assert not left, "no temporary file stays behind"
    kernel = json.loads((house.root / "kernel.json").read_text())
    deadline = time.monotonic() + 20
    while alive(kernel) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not alive(kernel), "the kernel of a run that was stopped goes with it"

    status, out, _ = house("good")
    assert status == 0 and "All 1 runs of profile smoke are up to date" in out, (
        "what was done is not done again"
    )

    notebook = house.root / "notebooks" / "raises.ipynb"
    notebook.write_text(
        notebook.read_text().replace(
            "raise ValueError('much ado')", "pass" + SAVES.replace("\n", "\\n").replace('"', '\\"')
        )
    )
    status, out, _ = house("raises", "good")
    assert status == 0 and "1 of 2 runs to do" in out
    assert not (house.notebooks / "raises.failed.ipynb").exists(), (
        "mended, it is no longer kept as failed"
    )


@pytest.mark.slow
def test_a_users_own_ipython_settings_do_not_reach_a_kernel(house, tmp_path):
    startup = tmp_path / ".ipython" / "profile_default" / "startup" / "00.py"
    files.save_bytes(startup, b"import os\nos._exit(3)")
    status, out, err = house("good", FORCE="1", HOME=str(tmp_path))
    assert status == 0 and "All 1 runs done." in out, out + err


@pytest.mark.slow
def test_an_interrupted_grid_ends_its_kernels(house):
    (house.root / "kernel.json").unlink(missing_ok=True)
    process = house.start("hangs")
    deadline = time.monotonic() + 60
    while not (house.root / "kernel.json").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    kernel = json.loads((house.root / "kernel.json").read_text())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "the next `make all` goes on from there" in err, out + err
    deadline = time.monotonic() + 20
    while alive(kernel) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not alive(kernel)


HEARTBEAT_THAT_IS_CUT_OFF = """
import asyncio, time
from distributed.scheduler import Scheduler

async def never(**message):
    await asyncio.sleep(60)

init = Scheduler.__init__
def with_a_slow_answer(self, *args, **options):
    init(self, *args, **options)
    self.handlers["heartbeat_worker"] = never

Scheduler.__init__ = with_a_slow_answer
from grid import progress
progress._follow = lambda futures: time.sleep(1.5)  # the first heartbeat comes after a second
progress.watch([])
"""


def test_the_end_of_dask_in_the_middle_of_a_heartbeat_prints_nothing():
    command = [sys.executable, "-c", HEARTBEAT_THAT_IS_CUT_OFF]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=paths.ROOT)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
