"""Records and their files: whole or not there, true to their predictions, never made worse."""

import json
import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from test_training import compiled, network

from helpers import evaluation, results, runs, show, training
from helpers.store import files, paths
from helpers.store.backend import keras
from helpers.store.paths import UserError

SEED_FIELDS = {
    "seed",
    "train_accuracy",
    "train_loss",
    "validation_accuracy",
    "validation_loss",
    "test_accuracy",
    "test_loss",
    "epochs",
    "seconds",
    "seconds_per_epoch",
    "images_per_second",
    "history",
    "nll",
    "ece",
    "temperature",
    "nll_scaled",
    "ece_scaled",
    "versions",
    "hardware",
}
ARRAYS = {"y_true", "y_pred", "logp_pred", "logp_true", "logp_pred_scaled", "logp_true_scaled"}


# --- files ----------------------------------------------------------------------------------------


def test_files_are_written_whole_with_their_folder_and_nothing_else(tmp_path):
    path = tmp_path / "new folder" / "é.json"
    files.save_json(path, {"ä": [1, 2.5, None]})
    files.save_json(path, {"ä": "again"})
    assert files.load_json(path) == {"ä": "again"} and path.read_text(encoding="utf-8").endswith(
        "}\n"
    )
    assert [entry.name for entry in path.parent.iterdir()] == ["é.json"]


def test_a_value_that_json_cannot_hold_leaves_the_old_file(tmp_path):
    files.save_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError):
        files.save_json(tmp_path / "a.json", {"x": float("nan")})
    assert files.load_json(tmp_path / "a.json") == {"x": 1}


def test_a_full_disk_leaves_the_old_file_and_no_partial_one(tmp_path, monkeypatch):
    files.save_bytes(tmp_path / "a.bin", b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match="Cannot write .*a.bin: No space left on device"):
        files.save_bytes(tmp_path / "a.bin", b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="OUT=DIR"):
        files.check_writable(tmp_path / "file" / "folder")
    files.check_writable(tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe\x00", b"{} {}"])
def test_damaged_json_reads_as_nothing(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert files.load_json(tmp_path / "a.json") is None
    assert files.load_json(tmp_path / "none.json") is None


# --- records --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcomes():
    """Two seeds of a tiny training with their metrics and predictions; the same for every test."""
    from conftest import tiny_arrays

    from helpers.batches import Split

    arrays = {
        name: value[..., None] if name[0] == "x" else value for name, value in tiny_arrays().items()
    }
    parts = Split(
        arrays["x_train"][:80],
        arrays["y_train"][:80],
        arrays["x_train"][80:],
        arrays["y_train"][80:],
        arrays["x_test"],
        arrays["y_test"],
        "tiny",
    )

    def once(seed):
        keras.utils.set_random_seed(seed)
        return training.fit(
            compiled(network(dropout=0.2)), parts, seed=seed, batch_size=16, epochs=1
        )

    trained = [once(seed) for seed in range(2)]
    return parts, trained, [evaluation.evaluate(one, parts) for one in trained]


@pytest.fixture
def made(tiny, outcomes, folders):
    """`made(seeds, first_seed, kind)` gives a record of the run mnist-mlp under smoke and its
    predictions, as the notebook gathers them."""
    parts, trained, found = outcomes

    def gather(seeds=2, first_seed=0, kind="official", **parameters):
        values = {
            **runs.parameters("mnist-mlp", "smoke"),
            "seeds": seeds,
            "first_seed": first_seed,
            **parameters,
        }
        data = replace(tiny, meta={**tiny.meta, "kind": kind})
        notebook = {**values, "trained": trained, "anything": object()}  # like globals()
        return results.record(
            notebook, data, parts, trained[first_seed:seeds], found[first_seed:seeds], {"more": 1}
        )

    return gather


def save(made, **how):
    content, predictions = made(**how)
    results.save(content, predictions)
    return results.load("smoke", "mnist-mlp")


def test_record_has_every_field_that_is_relied_on(made):
    content = save(made)
    assert set(results.FIELDS) | {"layers"} == set(content)
    assert content["run"] == "mnist-mlp" and content["notebook"] == "01_mlp_baseline"
    assert set(content["parameters"]) == set(runs.notebook_parameters("01_mlp_baseline")), (
        "only parameters are taken from the notebook"
    )
    assert {
        "name",
        "title",
        "kind",
        "sha256",
        "train",
        "validation",
        "test",
        "label",
        "classes",
        "class_names",
        "split",
        "licence",
    } <= set(content["dataset"])
    assert (
        content["dataset"]["train"],
        content["dataset"]["validation"],
        content["dataset"]["test"],
    ) == (80, 40, 40)
    assert [set(seed) for seed in content["seeds"]] == [SEED_FIELDS] * 2 and [
        seed["seed"] for seed in content["seeds"]
    ] == [0, 1]
    assert set(content["seeds"][0]["history"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert content["reported"]["test_accuracy"] == 0.98199 and content["extra"] == {"more": 1}
    assert (
        content["parameter_count"]
        == sum(layer["parameters"] for layer in content["layers"])
        == 64 * 16 + 16 + 16 * 4 + 4
    )
    assert content["versions"]["keras"] == keras.__version__ and content["hardware"]["cores"] >= 1
    assert all(seed["versions"] == content["versions"] for seed in content["seeds"])
    assert content["fingerprint"] == runs.fingerprint(
        "mnist-mlp", content["parameters"], content["dataset"]["sha256"]
    )
    assert content["finished"].endswith("+00:00")


def test_predictions_beside_the_record_agree_with_its_figures(made):
    content = save(made)
    found = results.predictions("smoke", "mnist-mlp")
    assert set(found) == ARRAYS and results.harmed("smoke", "mnist-mlp") == []
    assert found["y_true"].shape == (40,) and all(
        found[name].shape == (2, 40) for name in ARRAYS - {"y_true"}
    )
    assert (
        found["y_true"].dtype == found["y_pred"].dtype == "uint8"
        and found["logp_true"].dtype == "float16"
    )
    for number, seed in enumerate(content["seeds"]):
        assert seed["test_accuracy"] == np.mean(found["y_pred"][number] == found["y_true"])
        assert seed["nll"] == pytest.approx(
            -found["logp_true"][number].astype(float).mean(), rel=2e-3
        )
        assert seed["nll_scaled"] == pytest.approx(
            -found["logp_true_scaled"][number].astype(float).mean(), rel=2e-3
        )


def test_no_log_probability_is_written_twice_and_all_are_read_back(made):
    save(made)
    _, predictions = made()
    with np.load(paths.results("smoke") / "mnist-mlp.npz") as written:
        right = written["y_pred"] == written["y_true"]
        assert (
            right.any()
            and not right.all()
            and not written["logp_true"][right].any()
            and not written["logp_true_scaled"][right].any()
        )
    for name, value in results.predictions("smoke", "mnist-mlp").items():
        assert value.dtype == predictions[name].dtype
        np.testing.assert_array_equal(value, predictions[name])


def test_the_grids_fingerprint_is_taken_where_the_grid_gives_one(made, monkeypatch):
    monkeypatch.setenv("RUN_FINGERPRINT", "given")
    assert save(made)["fingerprint"] == "given"


def test_a_further_seed_is_added_to_the_record_that_is_there(made):
    first = save(made, seeds=1)
    both = save(made, seeds=2, first_seed=1)
    at_once, predictions = made(seeds=2)
    assert both["seeds"][0] == first["seeds"][0] and both["seeds"] == at_once["seeds"]
    assert both["parameters"]["seeds"] == 2 and both["parameters"]["first_seed"] == 0
    assert both["fingerprint"] == first["fingerprint"], (
        "more seeds do not make a record another one"
    )
    for name, value in results.predictions("smoke", "mnist-mlp").items():
        np.testing.assert_array_equal(value, predictions[name])


def test_a_seed_is_added_to_nothing_but_its_own_run(made):
    with pytest.raises(UserError, match="no record of seeds 0 to 0 .* first_seed = 0"):
        made(seeds=2, first_seed=1)
    save(made, seeds=1, learning_rate=0.5)
    with pytest.raises(UserError, match="of this very run"):
        made(seeds=2, first_seed=1)
    save(made, seeds=2)
    with pytest.raises(UserError, match="of this very run"):
        made(seeds=2, first_seed=1)


def test_a_stand_in_never_replaces_real_images(made):
    real = save(made, kind="partial")
    before = {path.name: path.read_bytes() for path in paths.results("smoke").iterdir()}
    content, predictions = made(kind="stand-in")
    with pytest.raises(UserError, match="comes from real images.*OUT=DIR"):
        results.save(content, predictions)
    assert {path.name: path.read_bytes() for path in paths.results("smoke").iterdir()} == before
    assert results.load("smoke", "mnist-mlp") == real


def test_real_images_replace_a_stand_in_and_a_stand_in_itself(made):
    for kind in ("stand-in", "stand-in", "official", "substitute"):
        assert save(made, kind=kind)["dataset"]["kind"] == kind


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-30],
        lambda content: b"",
        lambda content: b"[]",
        lambda content: b"null",
        lambda content: content.replace(b'"fingerprint"', b'"fingerprinc"'),
        lambda content: content.replace(b'"kind"', b'"kinc"'),
        lambda content: json.dumps({**json.loads(content), "seeds": []}).encode(),
        lambda content: json.dumps({**json.loads(content), "dataset": []}).encode(),
    ],
    ids=[
        "truncated",
        "empty",
        "list",
        "null",
        "field lost",
        "kind lost",
        "no seeds",
        "no data set",
    ],
)
def test_a_damaged_record_reads_as_none(made, damage):
    save(made)
    path = paths.results("smoke") / "mnist-mlp.json"
    path.write_bytes(damage(path.read_bytes()))
    assert results.load("smoke", "mnist-mlp") is None
    assert results.load_all("smoke") == {}


def flip(path):
    content = path.read_bytes()
    path.write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])
    return content


@pytest.mark.parametrize("name", ["mnist-mlp.json", "mnist-mlp.npz"])
def test_what_was_altered_since_is_noticed_and_named(made, name):
    content, path = save(made), paths.results("smoke") / name
    good = flip(path)
    assert results.load("smoke", "mnist-mlp") is None
    assert results.harmed("smoke", "mnist-mlp") == [path]
    path.unlink()
    assert results.load("smoke", "mnist-mlp") is None
    assert results.harmed("smoke", "mnist-mlp") == [path]
    path.write_bytes(good)
    assert results.load("smoke", "mnist-mlp") == content
    assert results.harmed("smoke", "mnist-mlp") == []


def test_a_damaged_manifest_is_named_and_its_record_is_made_again(made):
    save(made)
    path = paths.results("smoke") / "mnist-mlp.sha256"
    path.write_text("nonsense")
    assert results.load("smoke", "mnist-mlp") is None
    assert results.harmed("smoke", "mnist-mlp") == [path]


def test_the_manifest_is_one_that_sha256sum_reads(made):
    save(made)
    told = subprocess.run(
        ["sha256sum", "-c", "mnist-mlp.sha256"],
        cwd=paths.results("smoke"),
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0 and told.stdout.count(": OK") == 2


def test_a_record_of_an_older_version_is_taken_as_it_is_if_its_predictions_are_there(made):
    content, folder = save(made), paths.results("smoke")
    (folder / "mnist-mlp.sha256").unlink()
    old = {**content, "content_sha256": "0" * 64, "predictions_sha256": "0" * 64}
    files.save_json(folder / "mnist-mlp.json", old)
    assert results.load("smoke", "mnist-mlp") == old
    further = save(made, seeds=2)
    assert "content_sha256" not in further and "predictions_sha256" not in further
    (folder / "mnist-mlp.sha256").unlink()
    (folder / "mnist-mlp.npz").unlink()
    assert results.load("smoke", "mnist-mlp") is None
    assert results.harmed("smoke", "mnist-mlp") == [folder / "mnist-mlp.npz"]


def test_a_process_killed_between_two_files_leaves_a_record_that_is_noticed(made, monkeypatch):
    save(made)
    content, predictions = made(seeds=1)
    replace = files.os.replace
    monkeypatch.setattr(
        files.os,
        "replace",
        lambda old, new: pytest.fail("killed") if str(new).endswith(".json") else replace(old, new),
    )
    with pytest.raises(pytest.fail.Exception):
        results.save(content, predictions)
    assert results.load("smoke", "mnist-mlp") is None
    assert results.harmed("smoke", "mnist-mlp") == [paths.results("smoke") / "mnist-mlp.npz"]
    assert not [path for path in paths.results("smoke").iterdir() if "partial" in path.name]


def test_objects_in_an_archive_are_never_unpickled(folders):
    path = paths.results("smoke") / "mnist-mlp.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, y_true=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        results.predictions("smoke", "mnist-mlp")


def test_full_records_of_small_networks_keep_the_first_seeds_weights(made, outcomes):
    content, predictions = made(profile="full")
    results.save(content, predictions, outcomes[1])
    with np.load(paths.results("full") / "mnist-mlp.weights.npz") as kept:
        for number, value in enumerate(outcomes[1][0].model.get_weights()):
            np.testing.assert_array_equal(kept[f"arr_{number}"], value)
    large = {**content, "run": "mnist-cnn", "parameter_count": results.WEIGHTS_LIMIT + 1}
    results.save(large, predictions, outcomes[1])
    results.save({**content, "run": "mnist-mlp-course"}, predictions, outcomes[1])
    folder = paths.results("full")
    assert [path.name for path in folder.glob("*.weights.npz")] == ["mnist-mlp.weights.npz"]
    assert "weights" in (folder / "mnist-mlp.sha256").read_text()


def test_weights_stay_where_seeds_are_added_and_go_with_their_training(made, outcomes):
    weights = paths.results("full") / "mnist-mlp.weights.npz"
    results.save(*made(seeds=1, profile="full"), outcomes[1][:1])
    before = weights.read_bytes()
    results.save(*made(seeds=2, first_seed=1, profile="full"), outcomes[1][1:])
    assert len(results.load("full", "mnist-mlp")["seeds"]) == 2 and weights.read_bytes() == before
    flip(weights)
    assert results.harmed("full", "mnist-mlp") == [weights]
    weights.write_bytes(before)
    content, predictions = made(seeds=2, profile="full")
    content["seeds"][0] = {**content["seeds"][0], "seconds": 1.0}
    results.save(content, predictions)
    assert not weights.exists(), "they are another training's"
    assert results.load("full", "mnist-mlp")["seeds"][0]["seconds"] == 1.0


def test_all_records_come_in_the_order_of_the_runs(made):
    content = save(made)
    folder = paths.results("smoke")
    for run in ("k49-tuned", "mnist-cnn", "mnist-first"):
        record, arrays = files.as_json({**content, "run": run}), b"predictions"
        written = {folder / f"{run}.json": record, folder / f"{run}.npz": arrays}
        files.save_all(written, manifest=folder / f"{run}.sha256")
    flip(folder / "mnist-first.json")
    assert list(results.load_all("smoke")) == ["mnist-mlp", "mnist-cnn", "k49-tuned"], (
        "and a damaged one is left out"
    )


# --- frames ---------------------------------------------------------------------------------------


def test_frame_has_a_row_for_each_run_and_seed_with_every_single_metric(made):
    content, frame = save(made), results.frame("smoke")
    assert list(frame["seed"]) == [0, 1] and set(frame["run"]) == {"mnist-mlp"}
    first = frame.iloc[0]
    assert first["report"] == "mnist-2019" and first["network"] == "mnist_mlp"
    assert first["kind"] == "official" and first["dataset"] == "mnist"
    assert (first["train"], first["validation"], first["test"]) == (80, 40, 40)
    assert first["test_accuracy"] == content["seeds"][0]["test_accuracy"]
    assert first["learning_rate"] == 0.001 and first["parameter_count"] == 64 * 16 + 16 + 68
    assert not {"history", "versions", "hardware"} & set(frame.columns)
    assert results.frame("quick").empty


def test_history_has_a_row_for_each_seed_and_epoch(made):
    content, frame = save(made), results.history("smoke", "mnist-mlp")
    assert list(frame.columns[:2]) == ["seed", "epoch"] and len(frame) == 2
    for seed in content["seeds"]:
        row = frame[frame["seed"] == seed["seed"]].iloc[0]
        assert row["epoch"] == 1 and row["val_loss"] == seed["history"]["val_loss"][0]
    assert results.epochs(content).equals(frame)
    assert results.epochs({"seeds": [{"seed": 0}]}).empty, "an audit trains nothing that is kept"


def test_answers_have_a_row_for_each_seed_and_test_image(made):
    content, frame = save(made), results.answers("smoke", "mnist-mlp")
    arrays = results.predictions("smoke", "mnist-mlp")
    assert len(frame) == 80 and set(frame.columns) == ARRAYS | {"seed", "image"}
    for number, seed in enumerate(content["seeds"]):
        rows = frame[frame["seed"] == seed["seed"]]
        assert list(rows["image"]) == list(range(40))
        assert (rows["y_true"] == rows["y_pred"]).mean() == seed["test_accuracy"]
        np.testing.assert_array_equal(rows["logp_true"], arrays["logp_true"][number])


@pytest.mark.parametrize("function", [results.history, results.answers])
def test_a_frame_of_a_run_without_record_says_what_to_do(folders, function):
    with pytest.raises(UserError, match="no record of mnist-mlp under quick: run `make all` first"):
        function("quick", "mnist-mlp")


def test_the_committed_edition_is_whole_and_every_seed_tells_its_machine(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    records = results.load_all("full")
    assert list(records) == runs.select(profile="full")
    for run, content in records.items():
        assert (paths.results("full") / f"{run}.sha256").exists()
        for seed in content["seeds"]:
            assert seed["versions"]["keras"] and seed["hardware"]["threads"] >= 1


def test_mean_and_deviation_over_seeds():
    content = {"seeds": [{"test_accuracy": value} for value in (0.9, 0.7, 0.8, 0.6)]}
    assert results.mean_std(content, "test_accuracy") == (
        pytest.approx(0.75),
        pytest.approx(np.std([0.9, 0.7, 0.8, 0.6], ddof=1)),
    )
    assert results.mean_std({"seeds": content["seeds"][:1]}, "test_accuracy") == (0.9, None)


def test_network_size_is_a_range_where_each_search_finds_its_own():
    seeds = [{"parameter_count": 1000}, {"parameter_count": 1001}]
    assert results.network_size({"parameter_count": 1000, "seeds": seeds}) == "1,000 to 1,001"
    assert results.network_size({"parameter_count": 669706, "seeds": [{}, {}]}) == "669,706"


# --- figures and tables ---------------------------------------------------------------------------


def test_figures_of_a_run_are_listed_with_their_captions(made, tiny):
    shown = show.samples(tiny, "mnist-mlp", "smoke")
    content, predictions = made()
    show.curves(content)
    (paths.figures("smoke", "mnist-mlp") / "stray.png").write_bytes(b"not listed")
    results.save(content, predictions)
    listed = results.load("smoke", "mnist-mlp")["figures"]
    assert [entry["path"] for entry in listed] == [
        "figures/smoke/mnist-mlp/curves.svg",
        "figures/smoke/mnist-mlp/samples.png",
    ]
    assert all(
        (paths.OUT / entry["path"]).stat().st_size > 1000 and entry["caption"] for entry in listed
    )
    assert (
        listed[1]["caption"].startswith("Columns: the first training images")
        and shown.label == "fig-mnist-mlp-samples"
    )
    kept = show.kept(results.load("smoke", "mnist-mlp"), "samples")
    assert kept.caption == listed[1]["caption"]
    index = paths.figures("smoke", "mnist-mlp") / "index.json"
    files.save_json(index, {"curves": "As older versions wrote it.", "samples": {"key": "0"}})
    assert [entry["caption"] for entry in results.figures(content)] == [
        "As older versions wrote it."
    ]
    (paths.OUT / listed[1]["path"]).unlink()
    assert show.kept(content, "samples") is None


def test_every_figure_of_a_classification_run_can_be_drawn(made, outcomes):
    content, predictions = made()
    parts, trained, _ = outcomes
    for shown in (
        show.confusion(content, predictions),
        show.reliability(content, predictions),
        show.mistakes(content, predictions, parts.x_test),
        show.gallery(content, predictions, parts.x_test),
        show.plane(content, parts.x_test, parts.y_test, trained[0]),
    ):
        assert shown.caption.startswith(f"{runs.title('mnist-mlp')}: ")
    assert {"confusion", "reliability", "mistakes", "gallery", "plane"} == set(
        files.load_json(paths.figures("smoke", "mnist-mlp") / "index.json")
    )
