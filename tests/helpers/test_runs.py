"""runs.yaml and the notebooks' parameters: every run fits its notebook, what is wrong is named, and
a fingerprint tells what matters from what does not."""

import ast
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from helpers import runs
from helpers.store import code, fields, paths
from helpers.store.paths import UserError

DENSE = ["mnist-mlp", "fashion-dense", "k49-tuned"]
PLAIN = [
    "mnist-first",
    "mnist-second-v1",
    "fashion-cnn-1x100",
    "fashion-cnn-2x50",
    "fashion-cnn-3x75",
    "emnist-first-letters",
    "emnist-second-letters",
    "emnist-second-balanced",
]
REGULARISED = [
    "mnist-cnn",
    "mnist-second-v2",
    "mnist-third",
    "mnist-third-patient",
    "mnist-third-hasty",
    "mnist-third-balanced",
    "emnist-third-letters",
    "emnist-third-balanced",
    "emnist-third-bymerge",
]
AUGMENTED = [
    "mnist-cnn-augmented",
    "fingers-carlosnet-plain",
    "fingers-carlosnet-augmented",
    "fingers-ivannet-plain",
    "fingers-ivannet-augmented",
]
NOTEBOOKS = {
    **dict.fromkeys(DENSE, "01_mlp_baseline"),
    **dict.fromkeys(PLAIN, "02_simple_cnn"),
    **dict.fromkeys(REGULARISED, "03_regularised_cnn"),
    **dict.fromkeys(AUGMENTED, "04_augmentation_study"),
    "k49-search": "05_hyperparameter_search",
}
AUDITS = [
    "audit-mnist",
    "audit-fashion",
    "audit-emnist-letters",
    "audit-emnist-balanced",
    "audit-emnist-bymerge",
    "audit-k49",
    "audit-fingers",
]
STUDIES = {
    "parts-mnist": "13_parts",
    "mnist-third-bare": "03_regularised_cnn",
    **dict.fromkeys(("how-many-clothes", "how-many-letters"), "14_how_many_images"),
    **{
        f"robust-{data}": "15_robustness"
        for data in ("mnist", "fashion", "letters", "k49", "fingers")
    },
    **dict.fromkeys(("moves-clothes", "moves-digits"), "16_what_moves_a_number"),
    "ensemble-letters": "09_ensemble",
    "evolved-letters": "10_neuroevolution",
    **dict.fromkeys(("best-digits", "best-clothes"), "11_best_network"),
}
BESIDE = {
    "mnist-first-course": "mnist-first",
    "mnist-second-v2-course": "mnist-second-v2",
    "mnist-mlp-course": "mnist-mlp",
}  # experiments of our own, and the run that each stands beside

ONE_CHANGE = {
    "mnist-second-v1-normalised": ("mnist-second-v1", "network"),
    "mnist-second-v1-dense-0": ("mnist-second-v1", "network"),
    "mnist-second-v1-dense-64": ("mnist-second-v1", "network"),
    "mnist-second-v1-dense-256": ("mnist-second-v1", "network"),
    "mnist-second-v2-dropout-25": ("mnist-second-v2", "network"),
    "emnist-third-letters-bare": ("emnist-third-letters", "network"),
    "k49-tuned-30-epochs": ("k49-tuned", "epochs stop_patience"),
    "k49-tuned-bare": ("k49-tuned", "network"),
    "mnist-cnn-20-epochs": ("mnist-cnn-augmented", "augmentation"),
    "fashion-cnn-1x87": ("fashion-cnn-1x100", "network"),
    "fashion-cnn-1x200": ("fashion-cnn-1x100", "network"),
    "mnist-dense-100": ("mnist-mlp", "network"),
    "emnist-small-letters": ("emnist-second-letters", "network"),
}  # the run beside it, and all that differs
FAST = {
    f"{run}-fast": run
    for run in (
        "mnist-mlp",
        "fashion-dense",
        "emnist-first-letters",
        "k49-tuned",
        "fingers-carlosnet-plain",
        "mnist-cnn",
        "fashion-cnn-1x100",
        "emnist-third-letters",
    )
}  # short schedules

# Optimiser, rate, batch, epochs (the course report's own, or the cap where it stopped early); None
# where it leaves them open.
PROTOCOLS = {
    "mnist-mlp": ("rmsprop", None, 128, 20),
    "mnist-cnn": ("adadelta", 1.0, 128, 5),
    "mnist-cnn-augmented": ("adadelta", 1.0, 128, 20),
    "mnist-first": ("momentum", 0.1, 32, 20),
    "mnist-second-v1": ("rmsprop", None, 32, 20),
    "mnist-second-v2": ("rmsprop", None, 32, 20),
    "mnist-third": ("rmsprop", None, 64, 30),
    "mnist-third-patient": ("rmsprop", None, 64, None),
    "mnist-third-hasty": ("rmsprop", None, 64, None),
    "mnist-third-balanced": ("rmsprop", None, 64, None),
    "fashion-dense": ("adam", None, 32, 5),
    "fashion-cnn-1x100": ("adam", None, 32, 5),
    "fashion-cnn-2x50": ("adam", None, 32, 5),
    "fashion-cnn-3x75": ("adam", None, 32, 5),
    "k49-tuned": (None, 1.696e-4, 64, 20),
    "fingers-carlosnet-plain": ("sgd", None, None, 10),
    "fingers-ivannet-plain": ("sgd", None, None, 10),
    "fingers-carlosnet-augmented": ("sgd", None, None, 30),
    "fingers-ivannet-augmented": ("sgd", None, None, 30),
}

# Accuracy and loss on the test set, as the course reports print them.
REPORTED = {
    "mnist-mlp": (0.98199, 0.13876),
    "mnist-cnn": (0.98849, 0.03049),
    "mnist-cnn-augmented": (0.99269, 0.02401),
    "mnist-first": (0.98420, 0.05292),
    "mnist-second-v1": (0.98890, 0.08070),
    "mnist-second-v2": (0.98549, 0.05310),
    "mnist-third": (0.995100, 0.0444),
    "mnist-third-patient": (0.995299, 0.03258),
    "mnist-third-hasty": (0.99059, 0.1163),
    "mnist-third-balanced": (0.99320, 0.0611),
    "emnist-first-letters": (0.9070, 0.5046),
    "emnist-second-letters": (0.9213, 0.2308),
    "emnist-second-balanced": (0.8786, 0.3451),
    "emnist-third-letters": (0.9293, 0.2063),
    "emnist-third-balanced": (0.8873, 0.3275),
    "emnist-third-bymerge": (0.8999, 0.2716),
    "k49-tuned": (0.8803, 0.4605),
    "fingers-carlosnet-plain": (0.9994, 0.0031),
    "fingers-ivannet-plain": (1.0, 5.83e-5),
    "fingers-carlosnet-augmented": (0.9767, 0.0647),
    "fingers-ivannet-augmented": (0.9955, 0.00955),
}


@pytest.fixture(autouse=True)
def fresh():
    """What is read once per process is read again, also after the test."""

    def forget():
        runs.table.cache_clear()
        for function in vars(code).values():
            getattr(function, "cache_clear", lambda: None)()

    forget()
    yield forget
    forget()


# --- the runs -------------------------------------------------------------------------------------


def test_every_run_of_the_edition_is_there_in_the_notebook_that_suits_its_network():
    """A run of one's own, added to the file, needs no line here."""
    known = {
        **NOTEBOOKS,
        **dict.fromkeys(AUDITS, "06_data_audit"),
        **dict.fromkeys(BESIDE, "07_course_protocol"),
        **dict.fromkeys(ONE_CHANGE, "02_simple_cnn"),
        "mnist-cnn-20-epochs": "03_regularised_cnn",
        "mnist-second-v2-dropout-25": "03_regularised_cnn",
        "emnist-third-letters-bare": "03_regularised_cnn",
        "k49-tuned-30-epochs": "01_mlp_baseline",
        "k49-tuned-bare": "01_mlp_baseline",
        "mnist-dense-100": "01_mlp_baseline",
        **dict.fromkeys(FAST, "08_fast_schedule"),
        **STUDIES,
    }
    assert {run: runs.entry(run)["notebook"] for run in known} == known
    assert len(NOTEBOOKS) == 26


def test_experiments_stand_apart_from_the_runs_that_redo_a_report():
    from report import courses

    known = BESIDE | {run: beside for run, (beside, _) in ONE_CHANGE.items()} | FAST
    assert {run: runs.entry(run)["beside"] for run in known} == known
    redone = courses.of_all(dict.fromkeys(runs.select()))
    assert [run for run in redone if runs.entry(run)["report"] in courses.REPORTS] == [
        run for run in runs.select() if run in NOTEBOOKS
    ]


@pytest.mark.parametrize("run", BESIDE)
def test_an_experiment_differs_from_the_run_beside_it_in_its_protocol_alone(run):
    for profile in ("smoke", "quick", "full"):
        assert runs.parameters(run, profile)["run"] == run
    mine, theirs = runs.parameters(run, "full"), runs.parameters(BESIDE[run], "full")
    changed = {
        name for name in set(mine) & set(theirs) - {"run", "seeds"} if mine[name] != theirs[name]
    }
    assert not changed, "the rest is the protocol of its notebook"
    assert runs.entry(run)["reported"] == runs.entry(BESIDE[run])["reported"]


@pytest.mark.parametrize("run", ONE_CHANGE)
def test_a_single_change_is_the_only_one(run):
    mine, theirs = (runs.parameters(one, "full") for one in (run, ONE_CHANGE[run][0]))
    assert {
        name for name in set(mine) & set(theirs) - {"run", "seeds"} if mine[name] != theirs[name]
    } == set(ONE_CHANGE[run][1].split())
    assert "reported" not in runs.entry(run) and runs.entry(run)["report"] == "one-change"


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
@pytest.mark.parametrize("run", FAST)
def test_a_short_schedule_has_the_network_and_the_images_of_the_run_beside_it(run, profile):
    mine, theirs = runs.parameters(run, profile), runs.parameters(FAST[run], profile)
    assert all(
        mine[name] == theirs[name]
        for name in ("dataset", "network", "train_images", "validation_images", "test_images")
    )
    assert theirs.get("augmentation", "none") == "none" and "reported" not in runs.entry(run)


def test_short_schedules_stand_for_all_five_course_reports():
    assert {runs.entry(run)["report"] for run in FAST.values()} == {
        "mnist-2019",
        "fashion-2021",
        "emnist-2021",
        "k49",
        "fingers",
    }


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
@pytest.mark.parametrize("audit", AUDITS)
def test_an_audit_looks_at_the_images_that_the_runs_on_its_data_set_use(audit, profile):
    values = runs.parameters(audit, profile)
    same = [
        runs.parameters(run, profile)
        for run in NOTEBOOKS
        if runs.parameters(run, profile)["dataset"] == values["dataset"]
    ]
    assert same and all(
        one["test_images"] == values["test_images"] for one in same if "ivannet" not in one["run"]
    ), "or their answers cannot be compared"
    assert values["folds"] >= 2 <= values["repeats"] and runs.entry(audit)["report"] == "audit"


def test_every_data_set_that_a_run_uses_is_audited():
    assert {runs.parameters(run, "full")["dataset"] for run in NOTEBOOKS} == {
        runs.parameters(audit, "full")["dataset"] for audit in AUDITS
    }


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
@pytest.mark.parametrize("run", NOTEBOOKS)
def test_run_fits_its_notebook_under_every_profile(run, profile):
    from helpers import datasets

    values = runs.parameters(run, profile)
    defaults = runs.notebook_parameters(NOTEBOOKS[run])
    assert list(values) == list(defaults) and (values["run"], values["profile"]) == (run, profile)
    assert all(type(values[name]) is type(default) for name, default in defaults.items())
    assert (
        values["dataset"] in datasets.NAMES
        and values.get("epochs", 1) > 0
        and values["batch_size"] > 0
    )
    assert "network" not in values or code.used_functions("models", values["network"])
    if profile == "full":
        assert values["train_images"] == values["test_images"] == 0, "full means all images"


def test_profiles_change_sizes_only():
    sizes = {
        "epochs",
        "seeds",
        "train_images",
        "validation_images",
        "test_images",
        "trials",
        "trial_epochs",
    }
    for profile in ("smoke", "quick", "full"):
        assert set(runs.table()["profiles"][profile]) <= sizes
        assert all(set(runs.entry(run).get(profile, {})) <= sizes for run in NOTEBOOKS)


@pytest.mark.parametrize("run", PROTOCOLS)
def test_full_profile_follows_the_printed_protocol(run):
    values = runs.parameters(run, "full")
    for name, printed in zip(
        ("optimizer", "learning_rate", "batch_size", "epochs"), PROTOCOLS[run]
    ):
        assert printed is None or values[name] == printed, name


def test_early_stopping_and_rate_reduction_are_those_of_the_course_report():
    rules = {
        run: (6, 1e-4)
        if "patient" in run
        else (6, 1e-3)
        if "hasty" in run
        else (4, 1e-4)
        if "balanced" in run
        else (0, 0.0)
        for run in NOTEBOOKS
        if run.startswith("mnist-third")
    }
    for run, rule in rules.items():
        values = runs.parameters(run, "full")
        assert (values["stop_patience"], values["stop_delta"]) == rule
        assert values["reduce_patience"] == 3 and values["augmentation"] == "noise"
        assert rule == (0, 0.0) or values["epochs"] >= 69, "the patient one ran 69 epochs"
    assert runs.parameters("k49-tuned", "full")["stop_patience"] > 0


@pytest.mark.parametrize(
    "networks, said",
    [
        ("mnist_mlp mnist_frist", "names of networks"),
        ("mnist_mlp+loud", ""),
        ("", ""),
        ("+small", ""),
    ],
)
def test_a_study_names_networks_and_settings_that_exist(table, networks, said):
    table(lambda content: content["runs"]["robust-mnist"]["parameters"].update(networks=networks))
    with pytest.raises(UserError, match=f"robust-mnist: parameter networks is .*{said}"):
        runs.parameters("robust-mnist", "full")


def test_a_study_follows_from_the_code_of_every_network_that_it_names(monkeypatch):
    values = runs.parameters("robust-mnist", "full")
    names, settings = fields.networks(values)
    assert len(names) == 6 and settings == ["noise"]
    before = runs.fingerprint("robust-mnist", values, "sha")
    used = code.used_functions
    for changed in set(names):

        def other(module, network, changed=changed):
            return {**used(module, network), **({changed: "other"} if network == changed else {})}

        monkeypatch.setattr(code, "used_functions", other)
        assert runs.fingerprint("robust-mnist", values, "sha") != before, changed


def test_validation_images_are_our_own_split():
    for run in NOTEBOOKS:
        wanted = {"mnist": 6000, "fashi": 6000, "finge": 0, "k49-s": -1, "k49-t": -1, "emnis": 0}[
            run[:5]
        ]  # -1: as many as test images; 0: a fifth
        assert runs.parameters(run, "full")["validation_images"] == wanted, run


def test_search_has_the_printed_budget():
    values = runs.parameters("k49-search", "full")
    assert (values["trials"], values["trial_epochs"]) == (10, 10) and values["seeds"] == 5


def test_augmentation_is_used_where_the_course_reports_used_it():
    used = {run: runs.parameters(run, "full").get("augmentation", "none") for run in NOTEBOOKS}
    assert {run for run, setting in used.items() if setting != "none"} == {
        "mnist-cnn-augmented",
        "mnist-third",
        "mnist-third-patient",
        "mnist-third-hasty",
        "mnist-third-balanced",
        "fingers-carlosnet-augmented",
        "fingers-ivannet-augmented",
    }
    assert used["fingers-ivannet-augmented"] == used["fingers-carlosnet-augmented"] == "strong"


def test_reported_figures_are_those_printed():
    found = {
        run: (reported["test_accuracy"], reported["test_loss"])
        for run in NOTEBOOKS
        if "test_accuracy" in (reported := runs.entry(run).get("reported", {}))
    }
    assert found == REPORTED
    assert runs.entry("k49-search")["reported"]["validation_accuracy"] == 0.92957


def test_every_run_names_its_course_report_and_what_is_particular():
    for run in NOTEBOOKS:
        line = runs.entry(run)
        assert line["report"] in (
            "mnist-2019",
            "fashion-2021",
            "emnist-2021",
            "k49",
            "fingers",
        ) and line["about"].endswith(".")
        known = {"name", "notebook", "report", "about", "parameters", "cores", "reported", "claims"}
        assert set(line) <= known | {"smoke", "quick", "full"}, run


def test_a_name_for_people_is_that_of_one_run_of_its_report():
    lines = runs.table()["runs"].values()
    names = [(line["report"], line["name"]) for line in lines if "name" in line]
    assert len(names) == len(set(names)) and max(len(name) for _, name in names) <= 34
    assert len(names) >= 55, "those of the edition; one of one's own may go without"
    assert runs.title("mnist-mlp") == "dense network" and runs.title("a-b") == "a-b"


def test_a_network_is_called_as_the_first_run_that_trains_it():
    titles = {
        "mnist_cnn": "two convolutions",
        "mnist_cnn+small": "two convolutions, augmented",
        "mnist_third+noise": "everything at once",
        "carlosnet+strong": "small network, augmented",
        "nobody": "nobody",
    }
    assert {word: runs.network_title(word) for word in titles} == titles


def test_runs_are_selected_in_their_own_order():
    assert runs.select(["k49-tuned", "mnist-mlp"]) == ["mnist-mlp", "k49-tuned"]
    assert runs.select([]) == runs.select() == list(runs.table()["runs"])


def test_a_run_whose_sizes_come_later_is_no_part_of_that_profile(table):
    every, full = len(runs.claims("quick")), len(runs.claims("full"))
    table(lambda content: content["runs"]["mnist-mlp"].update(full="later"))
    assert "mnist-mlp" in runs.select() and "mnist-mlp" in runs.select(profile="quick")
    assert "mnist-mlp" not in runs.select(profile="full")
    assert len(runs.claims("quick")) == every and len(runs.claims("full")) == full - 2
    assert runs.parameters("mnist-mlp", "quick")["epochs"] == 8
    for asked in (
        lambda: runs.select(["mnist-mlp"], "full"),
        lambda: runs.parameters("mnist-mlp", "full"),
    ):
        with pytest.raises(UserError, match="^mnist-mlp has no full sizes yet: "):
            asked()


def test_seeds_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("SEEDS", "7")
    assert runs.parameters("mnist-mlp", "quick")["seeds"] == 7
    assert "seeds" not in runs.parameters("audit-mnist", "quick")


# --- what is refused ------------------------------------------------------------------------------


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UserError, match="Unknown run mnist-mpl: did you mean mnist-mlp?"):
        runs.select(["mnist-mpl"])
    with pytest.raises(UserError, match="Unknown run nothing: the runs are mnist-mlp, "):
        runs.parameters("nothing", "quick")
    with pytest.raises(
        UserError, match="Unknown profile fast. The profiles are: smoke, quick, full"
    ):
        runs.parameters("mnist-mlp", "fast")


@pytest.fixture
def table(tmp_path, monkeypatch, fresh):
    """`table(change)` writes a runs.yaml of the test's own: the project's, after `change` of its
    content, or the text that is given."""

    def write(change):
        content = yaml.safe_load((paths.ROOT / "notebooks/runs.yaml").read_text(encoding="utf-8"))
        if not isinstance(change, str):
            change(content)
            change = yaml.safe_dump(content, sort_keys=False)
        (tmp_path / "runs.yaml").write_text(change, encoding="utf-8")
        monkeypatch.setattr(paths, "RUNS", tmp_path / "runs.yaml")
        fresh()

    return write


@pytest.fixture
def edited(table):
    """`edited(**changes)` puts changed parameters of mnist-mlp into a runs.yaml of its own."""

    def edit(where="parameters", **changes):
        table(lambda content: content["runs"]["mnist-mlp"].setdefault(where, {}).update(changes))

    return edit


@pytest.mark.parametrize(
    "name, value, kind",
    [
        ("batch_size", "128", "str"),
        ("batch_size", 12.5, "float"),
        ("learning_rate", "1e-3", "str"),
        ("optimizer", 3, "int"),
        ("batch_size", True, "bool"),
        ("dataset", None, "NoneType"),
        ("network", ["a"], "list"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(edited, name, value, kind):
    edited(**{name: value})
    with pytest.raises(
        UserError,
        match=f"^Run mnist-mlp: parameter {name} is .*, of type {kind}; it must be of type ",
    ):
        runs.parameters("mnist-mlp", "quick")


def test_a_whole_number_will_do_for_a_fraction(edited):
    edited(learning_rate=1)
    assert runs.parameters("mnist-mlp", "quick")["learning_rate"] == 1.0


@pytest.mark.parametrize("where", ["parameters", "quick"])
def test_an_unknown_parameter_is_refused_with_the_known_ones(edited, where):
    edited(where, momentum=0.9)
    with pytest.raises(
        UserError,
        match="notebook 01_mlp_baseline has no parameter momentum. It has: run, profile, dataset, ",
    ):
        runs.parameters("mnist-mlp", "quick")


@pytest.mark.parametrize(
    "text", ["runs: [", "- a list", "", "profiles: {}", "runs: {}\nprofiles: 3", "\x00"]
)
def test_a_damaged_table_is_one_clear_line(table, text):
    table(text)
    with pytest.raises(UserError, match="^Cannot read .*runs.yaml: ") as error:
        runs.select()
    assert "\n" not in str(error.value)


def test_a_table_can_hold_no_code(table):
    table("profiles: {}\nruns: !!python/object/apply:os.mkdir [evil]\n")
    with pytest.raises(UserError):
        runs.select()


CLAIM = {"key": "D1", "claim": "A beats B.", "family": "ours", "expected": ">"}
CLAIM |= {"quantity": "test_accuracy", "against": "mnist-cnn"}


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("about", None, "about is None, it must be a text"),
        ("notebok", "A typing error", "notebok is unknown, there are notebook, "),
        ("abuot", "A typing error", "abuot is unknown, there are notebook, report, about, "),
        ("name", "two\nlines", "name is .*, it must be a text of one line"),
        ("name", "*bold*", "name is .*, it must be a text of one line without signs of Markdown"),
        ("cores", 0, "cores is 0, it must be a whole number, 1 or more"),
        ("cores", "2", "cores is '2', it must be a whole number"),
        ("beside", "mnist-cmm", "there is no other run 'mnist-cmm'"),
        ("beside", "mnist-mlp", "there is no other run 'mnist-mlp'"),
        ("parameters", ["a"], "parameters is .*, it must be names with values"),
        ("quick", 3, "quick is 3, it must be names with values"),
        ("reported", {"test_accuracy": 98.2}, "test_accuracy is 98.2, .* 0.982 for 98.2 %"),
        ("reported", {"test_accuracy": "98.2%"}, "test_accuracy is '98.2%', .* 0.982 for 98.2 %"),
        ("reported", {"test_loss": -0.1}, "test_loss is -0.1, it must be a number, 0 or more"),
        ("reported", {"test_loss": float("nan")}, "test_loss is nan"),
        ("reported", {"epochs": 2.5}, "epochs is 2.5"),
        ("reported", {"tset_accuracy": 0.9}, "reported: tset_accuracy is unknown"),
        ("reported", {"history": {"loss": [0.5, "x"]}}, "reported, history: loss is .* a list"),
        ("reported", {"transformed": {"train": 19.7}}, "reported, transformed: train is 19.7"),
        ("reported", 0.98, "reported is 0.98, it must be names with values"),
        ("claims", CLAIM, "claims is .*, it must be a list"),
        ("claims", ["D1"], "a claim is 'D1', it must be names with values"),
        ("claims", [{**CLAIM, "against": "nobody"}], "there is no other run 'nobody'"),
        ("claims", [{**CLAIM, "expected": "<"}, {**CLAIM}], "a claim D1 .* was there before"),
        ("claims", [{**CLAIM, "family": "theirs"}], "family is 'theirs', .* reports, ours"),
        (
            "claims",
            [{**CLAIM, "key": "adam", "family": "reports"}],
            "of family reports has a key of theirs, D1 to F4",
        ),
        ("claims", [{**CLAIM, "margin": -1}], "margin is -1, it must be a number, more than 0"),
        ("claims", [{**CLAIM, "margin": 0.01}], "and `margin` where it says `=`"),
        ("claims", [{**CLAIM, "expected": "="}], "and `margin` where it says `=`"),
        ("claims", [{**CLAIM, "part": "a"}], "part is 'a', it must be a whole number"),
        ("claims", [{**CLAIM, "quantity": "acuracy"}], "quantity is 'acuracy', it must be one of"),
        ("claims", [{**CLAIM, "data": "some"}], "data is 'some', it must be one of any"),
        ("claims", [{**CLAIM, "wins": 3}], "a claim: wins is unknown, there are key, claim"),
        ("claims", [{**CLAIM, "reference": 0.9}], "needs either `against` or `reference`"),
        ("claims", [{"key": "D1"}], "a claim: claim is missing, it must be a text"),
    ],
)
def test_a_wrong_field_is_named_with_its_run_when_the_file_is_read(table, field, value, said):
    table(lambda content: content["runs"]["mnist-mlp"].update({field: value}))
    with pytest.raises(UserError, match=f"^Cannot read .*: run mnist-mlp.*{said}") as error:
        runs.select()
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("report", ["course-protocol", "one-change", "fast"])
def test_an_experiment_of_our_own_names_the_run_that_it_stands_beside(table, report):
    table(lambda content: content["runs"]["mnist-mlp"].update(report=report))
    with pytest.raises(UserError, match="run mnist-mlp: beside is missing, it must be a text"):
        runs.select()


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("mnist_mlp", "mnist-mlp"),
        ("MNIST-CNN", "mnist-cnn"),
        ("fashion_cnn_1x10", "fashion-cnn-1x100"),
        ("k49_tuned", "k49-tuned"),
    ],
)
def test_a_misspelt_run_is_asked_about(typed, meant):
    with pytest.raises(UserError, match=rf"^Unknown run {typed}: did you mean {meant}\?$"):
        runs.select([typed])


@pytest.mark.parametrize("field", ["notebook", "report", "about"])
def test_a_field_that_every_run_needs_is_missed(table, field):
    table(lambda content: content["runs"]["mnist-mlp"].pop(field))
    with pytest.raises(UserError, match=f"run mnist-mlp: {field} is missing, it must be a text"):
        runs.select()


@pytest.mark.parametrize("name", ["../mine", "a/b", "my run", "a,b", ".mine", "", 2024, True])
@pytest.mark.parametrize("below, kind", [("runs", "run"), ("profiles", "profile")])
def test_a_name_that_no_command_and_no_file_can_have_is_refused(table, below, kind, name):
    table(lambda content: content[below].update({name: next(iter(content[below].values()))}))
    with pytest.raises(UserError, match=f"{kind} {name!r}: a name is a text of letters, digits, "):
        runs.select()


@pytest.mark.parametrize("unfinished", [None, "later", [{"notebook": "02_simple_cnn"}], {1: 2}])
@pytest.mark.parametrize("below, kind", [("runs", "run"), ("profiles", "profile")])
def test_an_entry_without_fields_is_named(table, below, kind, unfinished):
    table(lambda content: content[below].update(mine=unfinished))
    with pytest.raises(UserError, match=f"{kind} mine is .*, it must be names with values"):
        runs.select()


@pytest.mark.parametrize(
    "sizes, said",
    [
        ({"epochs": 0}, "epochs is 0, it must be a whole number, 1 or more"),
        ({"train_images": -1}, "train_images is -1, it must be a whole number, 0 or more"),
        ({"epoch": 3}, "epoch is unknown, there are epochs, "),
        ({"seeds": "3"}, "seeds is '3', it must be a whole number"),
    ],
)
def test_the_sizes_of_a_profile_are_checked(table, sizes, said):
    table(lambda content: content["profiles"]["quick"].update(sizes))
    with pytest.raises(UserError, match=f"profile quick: {said}"):
        runs.select()


def test_claims_are_told_with_the_two_runs(table):
    def claim(content):
        for line in content["runs"].values():
            line.pop("claims", None)
        other = {**CLAIM, "key": "D2", "reference": 0.97}
        del other["against"]
        content["runs"]["mnist-mlp"]["claims"] = [CLAIM, {**CLAIM, "part": 2}, other]

    table(claim)
    told = runs.claims()
    assert [(claim["key"], claim.get("part")) for claim in told] == [
        ("D1", None),
        ("D1", 2),
        ("D2", None),
    ]
    assert [claim["run_b"] for claim in told] == ["mnist-cnn", "mnist-cnn", None]
    assert {claim["run_a"] for claim in told} == {"mnist-mlp"} and told[2]["reference"] == 0.97


@pytest.mark.parametrize(
    "entry, said",
    [
        ("{epochs: 5, epochs: 50}", "epochs stands twice"),
        ("{batch_size: 0100}", "0100 is read as another number"),
        ("{epochs: 0_10}", "0_10 is read as another number"),
        ("{epochs: 1:30}", "1:30 is read as another number"),
        ("{learning_rate: 1:30.5}", "1:30.5 is read as another number"),
    ],
)
def test_what_yaml_reads_otherwise_than_its_writer_is_refused(table, entry, said):
    text = (paths.ROOT / "notebooks/runs.yaml").read_text(encoding="utf-8")
    table(text.replace("    quick: {epochs: 8}", f"    quick: {entry}", 1))
    with pytest.raises(UserError, match=rf"^Cannot read .*: line \d+: {said}"):
        runs.select()


def test_a_name_may_be_taken_over_and_changed(table):
    """`<<: *name` and an own value are no name given twice, in whatever order they are merged."""
    text = (paths.ROOT / "notebooks/runs.yaml").read_text(encoding="utf-8")
    assert "{<<: *third, " in text
    table(text + "\n# and the same as it stands\n")
    assert len(runs.select()) == len(yaml.safe_load(text)["runs"])


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("epochs", 0, "it must be a whole number, 1 or more"),
        ("batch_size", -5, "it must be a whole number, 1 or more"),
        ("seeds", 0, "it must be a whole number, 1 or more"),
        ("learning_rate", -0.1, "it must be a number, more than 0"),
        ("learning_rate", 0, "it must be a number, more than 0"),
        ("learning_rate", float("nan"), "it must be a number, more than 0"),
        ("learning_rate", float("inf"), "it must be a number, more than 0"),
        ("train_images", -1, "it must be a whole number, 0 or more"),
        ("validation_images", -2, "it must be -1, 0 or more"),
        ("stop_patience", -1, "it must be a whole number, 0 or more"),
    ],
)
def test_a_value_out_of_range_stops_its_own_run_and_no_other(edited, name, value, said):
    edited("quick", **{name: value})
    with pytest.raises(UserError, match=f"^Run mnist-mlp: parameter {name} is .*; {said}"):
        runs.parameters("mnist-mlp", "quick")
    assert runs.parameters("mnist-mlp", "smoke") and runs.parameters("mnist-cnn", "quick")


@pytest.mark.parametrize("where", ["parameters", "quick"])
@pytest.mark.parametrize("name, value", [("run", "mnist-cnn"), ("profile", "full")])
def test_a_run_cannot_write_in_the_place_of_another(edited, where, name, value):
    edited(where, **{name: value})
    with pytest.raises(UserError, match=f"^Run mnist-mlp: parameter {name} is set by the grid: "):
        runs.parameters("mnist-mlp", "quick")


@pytest.mark.parametrize("halvings", [-1, 17, 10**9])
def test_images_are_not_halved_without_end(table, halvings):
    table(
        lambda content: content["runs"]["how-many-clothes"]["parameters"].update(halvings=halvings)
    )
    with pytest.raises(UserError, match="^Run how-many-clothes: parameter halvings is "):
        runs.parameters("how-many-clothes", "smoke")


@pytest.mark.parametrize("value", [0, -1, "3", 1.5])
def test_a_size_that_the_profile_replaces_is_checked_too(edited, value):
    edited("parameters", epochs=value)
    with pytest.raises(UserError, match="^Run mnist-mlp: parameter epochs is "):
        runs.parameters("mnist-mlp", "quick")


@pytest.mark.parametrize(
    "run, name, value, said",
    [
        ("audit-mnist", "sure", 1.5, "it must be a fraction"),
        ("audit-mnist", "sure", float("nan"), "it must be a fraction"),
        ("audit-mnist", "folds", 1, "it must be from 2 to 256"),
        ("audit-mnist", "folds", 257, "it must be from 2 to 256"),
        ("mnist-first-course", "dropout", -0.5, "it must be -1.0, or from 0 to less than 1"),
        ("mnist-first-course", "dropout", 1.0, "it must be -1.0, or from 0 to less than 1"),
    ],
)
def test_what_few_notebooks_have_has_its_range_too(table, run, name, value, said):
    table(lambda content: content["runs"][run]["parameters"].update({name: value}))
    with pytest.raises(UserError, match=f"^Run {run}: parameter {name} is .*; {said}"):
        runs.parameters(run, "full")


@pytest.mark.parametrize("network", ["mnist_mpl", "_network", "layer_table"])
def test_a_network_that_is_none_is_refused_with_the_known_ones(edited, network):
    edited(network=network)
    with pytest.raises(UserError, match=f"no network '{network}'. Choose one of: mnist_mlp, ") as e:
        runs.parameters("mnist-mlp", "quick")
    assert "_fashion_cnn," not in str(e.value)


def test_a_missing_notebook_or_network_is_named(tmp_path, monkeypatch, fresh):
    with pytest.raises(UserError, match="helpers/models.py has no network mnist_mpl"):
        runs.fingerprint("mnist-mlp", {"network": "mnist_mpl"}, "data")
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    fresh()
    (tmp_path / "02_another.ipynb").touch()
    with pytest.raises(UserError, match="no notebook 01_mlp_baseline, there are 02_another[.]"):
        runs.parameters("mnist-mlp", "quick")


@pytest.fixture
def notebook(tmp_path, monkeypatch, fresh):
    """`notebook(parameters, *sources)` puts a notebook in the place of 01_mlp_baseline, with a cell
    of parameters (or without, for None), and returns its fingerprint."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)

    def write(parameters, *sources):
        def cell(source, *tags):
            return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": [source]}

        cells = [cell(source) for source in sources]
        if parameters is not None:
            cells.insert(0, cell(parameters, "parameters"))
        text = {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]}
        (tmp_path / "01_mlp_baseline.ipynb").write_text(json.dumps({"cells": [text, *cells]}))
        fresh()
        return runs.fingerprint("mnist-mlp", {}, "data")

    return write


def test_parameters_may_be_annotated_and_signed(notebook):
    notebook('run: str = "a"\nepochs: int = 5  # passes\ndropout = -1.0\n\nwatch = True')
    assert runs.notebook_parameters("01_mlp_baseline") == {
        "run": "a",
        "epochs": 5,
        "dropout": -1.0,
        "watch": True,
    }


@pytest.mark.parametrize("line", ["n = 2 * 3", "n = int('3')", "import os", "n: int", "a.b = 1"])
def test_a_parameter_that_is_no_literal_is_named_by_cell_and_line(notebook, line):
    notebook(f'run = "a"\n{line}')
    with pytest.raises(
        UserError, match="baseline, cell 2, line 2: a parameter is NAME = "
    ) as error:
        runs.notebook_parameters("01_mlp_baseline")
    assert "\n" not in str(error.value)


def test_a_notebook_without_the_tag_says_so(notebook):
    notebook(None, "epochs = 5")
    with pytest.raises(UserError, match="01_mlp_baseline has no cell with the tag `parameters`"):
        runs.notebook_parameters("01_mlp_baseline")


def test_a_notebook_without_a_data_set_says_so(notebook):
    notebook('run = "a"\nprofile = "lab"')
    with pytest.raises(UserError, match="Run mnist-mlp: .* has no parameter dataset. It has: "):
        runs.parameters("mnist-mlp", "quick")


@pytest.mark.parametrize(
    "source", ["files = !ls", "%%bash\nls -l | wc", "Dense?", "%timeit f(1)", "!pip list"]
)
def test_a_notebook_may_speak_ipython(notebook, source):
    plain = notebook('run = "a"', "x = 1")
    magic = notebook('run = "a"', "x = 1", source)
    assert magic != plain and notebook('run = "a"', "x = 1", source) == magic


def test_a_cell_that_is_no_python_at_all_is_named(notebook):
    with pytest.raises(UserError, match=r"cell 3 is not Python: .*, in the line 'x = = 1'"):
        notebook('run = "a"', "x = = 1")


@pytest.mark.parametrize("seeds", ["0", "-1", "two", "1.5"])
def test_a_number_of_seeds_that_is_none_is_refused(monkeypatch, seeds):
    monkeypatch.setenv("SEEDS", seeds)
    with pytest.raises(UserError, match=f"SEEDS={seeds}: give a whole number"):
        runs.parameters("mnist-mlp", "quick")


# --- fingerprints ---------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path, monkeypatch, fresh):
    """A copy of notebooks and helpers to edit; `copy.fingerprint()` is fashion-cnn-1x100's now."""
    for folder in ("notebooks", "helpers"):
        shutil.copytree(
            paths.ROOT / folder,
            tmp_path / folder,
            ignore=shutil.ignore_patterns("__pycache__", ".*"),
        )
    values = runs.parameters("fashion-cnn-1x100", "quick")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")

    class Copy:
        notebook, models, training = (
            tmp_path / "notebooks" / "02_simple_cnn.ipynb",
            tmp_path / "helpers" / "models.py",
            tmp_path / "helpers" / "training.py",
        )

        @staticmethod
        def fingerprint(data="data", **changes):
            fresh()
            return runs.fingerprint("fashion-cnn-1x100", {**values, **changes}, data)

        @classmethod
        def cells(cls, change):
            content = json.loads(cls.notebook.read_text(encoding="utf-8"))
            change(content["cells"])
            cls.notebook.write_text(json.dumps(content), encoding="utf-8")

        @staticmethod
        def replace(path, old, new):
            text = path.read_text(encoding="utf-8")
            assert old in text
            path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return Copy


def source(cell):
    return "".join(cell["source"])


def tagged(cells, *tags):
    return [
        cell
        for cell in cells
        if cell["cell_type"] == "code" and set(tags) & set(cell["metadata"].get("tags", []))
    ]


def plain(cells):
    return [
        cell for cell in cells if cell["cell_type"] == "code" and not cell["metadata"].get("tags")
    ]


def test_looks_never_change_a_fingerprint(copy):
    before = copy.fingerprint()

    def look(cells):
        for cell in cells:
            if cell["cell_type"] == "markdown":
                cell["source"] = ["Quite another text."]
        for cell in tagged(cells, "figure", "setup"):
            cell["source"] = ["import antigravity"]
        for cell in plain(cells):
            cell["source"] = [
                "# a comment\n\n" + source(cell).replace("\n", "  # another\n", 1)
                if "\n" in source(cell)
                else source(cell) + "  # another"
            ]
            cell["outputs"], cell["execution_count"] = (
                [{"output_type": "stream", "name": "stdout", "text": ["x"]}],
                7,
            )
        cells.append({"cell_type": "markdown", "metadata": {}, "source": ["more"]})
        cells.append(
            {
                "cell_type": "code",
                "metadata": {"tags": ["figure"]},
                "source": ["plot()"],
                "outputs": [],
                "execution_count": None,
            }
        )

    copy.cells(look)
    copy.replace(copy.models, '"""Two convolutions and one dense layer of 100', '"""Something else')
    copy.replace(
        copy.models,
        "def _fashion_cnn(name, image_shape, classes, dense):\n",
        "def _fashion_cnn(name, image_shape,\n                 classes, dense):  # why not\n",
    )
    os.utime(copy.notebook, (1, 1))
    assert copy.fingerprint() == before


def test_docstrings_do_not_count_and_other_code_does():
    def tree(text):
        return runs.code.tree(ast.parse(text))

    assert tree('def f(x):\n    """Says so."""\n    return x') == tree(
        "def f(x):\n    return (x)  # or so"
    )
    assert tree('"""Module."""\nx = 1') == tree("x = 1")
    assert tree('class A:\n    """Doc."""\n    x = 1') == tree("class A:\n    x = 1")
    assert tree("x = 'a'") == tree('x = "a"')
    for one, other in [
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 'a'", "x = b'a'"),
        ("f(a)", "f(*a)"),
        ("x = None", "x = 0"),
        ("a < b", "a <= b"),
        ("f(x=1)", "f(y=1)"),
        ("x = -1", "x = +1"),
        ("for i in a: pass", "for i in a: continue"),
        ("def f(a): pass", "def f(a=None): pass"),
        ("x = [None]", "x = []"),
        ("f'{a}'", "f'{a!r}'"),
        ("x = ()", "x = []"),
        ("f(a, b)", "f(b, a)"),
    ]:
        assert tree(one) != tree(other), (one, other)


def test_result_bearing_code_changes_a_fingerprint(copy):
    seen = {copy.fingerprint()}
    copy.cells(
        lambda cells: plain(cells)[2].update(
            source=[source(plain(cells)[2]).replace('metrics=["accuracy"]', "metrics=[]")]
        )
    )
    seen.add(copy.fingerprint())
    copy.cells(
        lambda cells: plain(cells)[0].update(source=[source(plain(cells)[0]) + "\nprint(1)"])
    )
    seen.add(copy.fingerprint())
    copy.cells(
        lambda cells: cells.insert(
            5,
            {
                "cell_type": "code",
                "metadata": {},
                "source": ["x = 1"],
                "outputs": [],
                "execution_count": None,
            },
        )
    )
    seen.add(copy.fingerprint())
    assert len(seen) == 4


def test_the_network_and_what_it_calls_change_a_fingerprint(copy):
    seen = {copy.fingerprint()}
    copy.replace(copy.models, "image_shape, classes, [100])", "image_shape, classes, [101])")
    seen.add(copy.fingerprint())
    copy.replace(
        copy.models,
        '*[layers.Dense(units, activation="relu") for units in dense]',
        '*[layers.Dense(units, activation="elu") for units in dense]',
    )
    seen.add(copy.fingerprint())
    copy.replace(
        copy.models, "layers.Rescaling(1 / 255)", "layers.Rescaling(1 / 256)"
    )  # two calls away
    seen.add(copy.fingerprint())
    assert len(seen) == 4


def test_another_network_does_not_change_a_fingerprint(copy):
    before = copy.fingerprint()
    copy.replace(copy.models, "layers.Dense(600", "layers.Dense(601")
    assert copy.fingerprint() == before
    copy.replace(copy.training, "STEPS", "STEPS ")
    assert copy.fingerprint() == before


def test_results_number_data_and_parameters_change_a_fingerprint(copy):
    seen = {
        copy.fingerprint(),
        copy.fingerprint("other data"),
        copy.fingerprint(learning_rate=0.5),
        copy.fingerprint(dataset="mnist"),
        copy.fingerprint(network="fashion_cnn_2x50"),
    }
    text = copy.training.read_text(encoding="utf-8")
    copy.training.write_text(
        re.sub(r"^RESULTS = \d+", "RESULTS = 12345", text, flags=re.M), encoding="utf-8"
    )
    seen.add(copy.fingerprint())
    assert len(seen) == 6


def test_more_seeds_do_not_change_a_fingerprint(copy):
    assert copy.fingerprint() == copy.fingerprint(seeds=9) == copy.fingerprint(first_seed=3)


def test_changing_a_notebook_touches_its_own_runs_only(copy, fresh):
    def all_of_them():
        fresh()
        return {
            run: runs.fingerprint(run, runs.parameters(run, "quick"), "data") for run in NOTEBOOKS
        }

    before = all_of_them()
    assert len(set(before.values())) == 26
    copy.cells(
        lambda cells: plain(cells)[0].update(source=[source(plain(cells)[0]) + "\nprint(1)"])
    )
    after = all_of_them()
    assert {run for run in NOTEBOOKS if before[run] != after[run]} == set(PLAIN)


def pythons():
    """Other Pythons of this machine that the project supports."""
    found = {}
    for version in ("3.11", "3.12", "3.13"):
        candidates = [
            shutil.which(f"python{version}"),
            *Path.home().glob(f".pyenv/versions/{version}.*/bin/python"),
        ]
        for candidate in filter(None, candidates):
            asked = subprocess.run(
                [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
            )
            if asked.stdout.strip() == version:
                found[version] = str(candidate)
    return found


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_fingerprints_are_the_same_on_every_python(version, tmp_path):
    python = pythons().get(version) or pytest.skip(f"no Python {version} here")
    (tmp_path / "table.json").write_text(
        json.dumps(runs.table())
    )  # read for it: that Python may have no PyYAML
    program = (
        "import json, sys; from helpers import runs\n"
        "table = json.load(open(sys.argv[1])); runs.table = lambda: table\n"
        "print(json.dumps({run: runs.fingerprint(run, runs.parameters(run, 'full'), 'data')\n"
        "                  for run in runs.select(profile='full')}))"
    )
    told = subprocess.run(
        [python, "-c", program, tmp_path / "table.json"],
        capture_output=True,
        text=True,
        cwd=paths.ROOT,
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(paths.ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(tmp_path),
        },
    )
    assert json.loads(told.stdout) == {
        run: runs.fingerprint(run, runs.parameters(run, "full"), "data")
        for run in runs.select(profile="full")
    }
