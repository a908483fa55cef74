"""Records and the files they lie in: whole or not there, true to the predictions beside them, never exchanged for worse."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from test_training import compiled, network

from helpers import evaluation, results, runs, training
from helpers.show import figures, tables
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
}
ARRAYS = {"y_true", "y_pred", "logp_pred", "logp_true", "logp_pred_scaled", "logp_true_scaled"}


# --- files ----------------------------------------------------------------------------------------------------------------


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


# --- records --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcomes():
    """Two seeds of a tiny training with their metrics and predictions; the same for every test of this module."""
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
    """`made(seeds, first_seed, kind)` gives a record of the run mnist-mlp under smoke and its predictions, as the notebook gathers them."""
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
    assert set(results.FIELDS) | {"predictions_sha256", "layers", files.SEAL} == set(content)
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
    assert content["fingerprint"] == runs.fingerprint(
        "mnist-mlp", content["parameters"], content["dataset"]["sha256"]
    )
    assert content["finished"].endswith("+00:00")


def test_predictions_beside_the_record_agree_with_its_figures(made):
    content = save(made)
    found = results.predictions("smoke", "mnist-mlp")
    assert set(found) == ARRAYS and results.whole("smoke", content)
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


def test_a_flipped_bit_in_a_record_that_stays_json_is_noticed_and_one_from_before_the_seal_is_read(
    made,
):
    content = save(made)
    path = paths.results("smoke") / "mnist-mlp.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            f'"test_accuracy": {content["seeds"][0]["test_accuracy"]}', '"test_accuracy": 0.99', 1
        ),
        encoding="utf-8",
    )
    assert path.read_text(encoding="utf-8") != text and results.load("smoke", "mnist-mlp") is None
    path.write_text(text.replace(files.SEAL, "content_sha257"), encoding="utf-8")
    assert results.load("smoke", "mnist-mlp") is None, "nor does a flip in the seal's name pass"
    old = {name: value for name, value in content.items() if name != files.SEAL}
    files.save_json(path, old)
    assert results.load("smoke", "mnist-mlp") == old


def test_damaged_or_missing_predictions_are_noticed(made):
    content = save(made)
    path = paths.results("smoke") / "mnist-mlp.npz"
    good = path.read_bytes()
    path.write_bytes(good[:50] + bytes([good[50] ^ 1]) + good[51:])
    assert not results.whole("smoke", content)
    path.write_bytes(good[:-1])
    assert not results.whole("smoke", content)
    path.unlink()
    assert not results.whole("smoke", content)
    path.write_bytes(good)
    assert results.whole("smoke", content)


def test_a_process_killed_between_the_two_files_leaves_a_pair_that_is_noticed(made, monkeypatch):
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
    assert not results.whole("smoke", results.load("smoke", "mnist-mlp"))
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
    results.save(
        {**content, "run": "mnist-cnn", "parameter_count": results.WEIGHTS_LIMIT + 1},
        predictions,
        outcomes[1],
    )
    results.save({**content, "run": "mnist-mlp-course"}, predictions, outcomes[1])
    assert not any(
        (paths.results("full") / f"{run}.weights.npz").exists()
        for run in ("mnist-cnn", "mnist-mlp-course")
    )


def test_all_records_come_in_the_order_of_the_runs(made):
    content = save(made)
    folder = paths.results("smoke")
    for run in ("k49-tuned", "mnist-cnn", "mnist-first"):
        files.save_json(folder / f"{run}.json", files.sealed({**content, "run": run}))
        files.save_bytes(
            folder / f"{run}.npz", (folder / "mnist-mlp.npz").read_bytes()[run == "mnist-first" :]
        )
    assert list(results.load_all("smoke")) == ["mnist-mlp", "mnist-cnn", "k49-tuned"], (
        "and one whose predictions are damaged is left out"
    )


def test_mean_deviation_and_median_over_seeds():
    content = {"seeds": [{"test_accuracy": value} for value in (0.9, 0.7, 0.8, 0.6)]}
    assert results.mean_std(content, "test_accuracy") == (
        pytest.approx(0.75),
        pytest.approx(np.std([0.9, 0.7, 0.8, 0.6], ddof=1)),
    )
    assert results.mean_std({"seeds": content["seeds"][:1]}, "test_accuracy") == (0.9, None)
    assert results.median_seed(content) == 1, "0.7 is the lower median"


# --- figures and tables ---------------------------------------------------------------------------------------------------


def test_figures_of_a_run_are_listed_with_their_captions(made, tiny):
    shown = figures.samples(tiny, "mnist-mlp", "smoke")
    content, predictions = made()
    figures.curves(content)
    (paths.figures("smoke", "mnist-mlp") / "stray.png").write_bytes(b"not listed")
    results.save(content, predictions)
    listed = results.load("smoke", "mnist-mlp")["figures"]
    assert [entry["path"] for entry in listed] == [
        "figures/smoke/mnist-mlp/curves.png",
        "figures/smoke/mnist-mlp/samples.png",
    ]
    assert all(
        (paths.OUT / entry["path"]).stat().st_size > 1000 and entry["caption"] for entry in listed
    )
    assert (
        listed[1]["caption"].startswith("Columns: the first training images")
        and shown.label == "fig-mnist-mlp-samples"
    )
    kept = figures.kept(results.load("smoke", "mnist-mlp"), "samples")
    assert kept.caption == listed[1]["caption"]
    (paths.OUT / listed[1]["path"]).unlink()
    assert figures.kept(results.load("smoke", "mnist-mlp"), "samples") is None


def test_every_figure_of_a_classification_run_can_be_drawn(made, outcomes):
    content, predictions = made()
    parts, trained, _ = outcomes
    for shown in (
        figures.confusion(content, predictions),
        figures.reliability(content, predictions),
        figures.mistakes(content, predictions, parts.x_test),
        figures.gallery(content, predictions, parts.x_test),
        figures.plane(content, parts.x_test, parts.y_test, trained[0]),
    ):
        assert shown.caption.startswith("mnist-mlp: ")
    assert {"confusion", "reliability", "mistakes", "gallery", "plane"} == set(
        files.load_json(paths.figures("smoke", "mnist-mlp") / "index.json")
    )


def test_tables_show_what_the_record_holds(made):
    content, _ = made()
    metrics = tables.metrics(content)
    text = json.dumps(metrics._repr_mimebundle_(), ensure_ascii=False)
    mean = np.mean([seed["test_accuracy"] for seed in content["seeds"]])
    assert f"{100 * mean:.2f}" in text or f"{mean:.4f}" in text
    assert tables.reading(content).strip()
    assert "Dense 16, relu" in json.dumps(tables.layers(content)._repr_mimebundle_())


def test_a_stand_in_says_so_on_tables(made):
    content, _ = made(kind="stand-in")
    assert content["dataset"]["label"] == "STAND-IN for Columns: drawn by this program"
    assert "STAND-IN" in json.dumps(tables.metrics(content)._repr_mimebundle_())
