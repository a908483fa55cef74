"""Files truncated or with a flipped bit: noticed before use, named, made again."""

import numpy as np
import pytest
from conftest import tiny_arrays

from faults.scene import DONE, SLOW, Scene
from helpers import datasets, results, search, show, training
from helpers.datasets import arrays as idx
from helpers.datasets import copies
from helpers.store import files, paths

NOTICED = "noticed before use, named, made again; or the value read is unchanged"
SEEDS = np.random.default_rng(2026)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A finished run without training and one with."""
    scene = Scene(tmp_path_factory.mktemp("damage"))
    status, out, err = scene.call(DONE, SLOW)
    assert status == 0, out + err
    return scene


@pytest.fixture
def here(scene, monkeypatch):
    """The scene as this process's own folders."""
    monkeypatch.setattr(paths, "OUT", scene.out)
    monkeypatch.setattr(paths, "DATA", scene.data)
    return scene


def damaged(content, tries):
    """Copies of bytes, each cut off somewhere or with one bit flipped somewhere."""
    for number in range(tries):
        place = int(SEEDS.integers(len(content)))
        if number % 4 == 0:
            yield content[:place]
        else:
            yield (
                content[:place]
                + bytes([content[place] ^ 1 << int(SEEDS.integers(8))])
                + content[place + 1 :]
            )


def tried(path, tries, check):
    """Lets `check` judge a file in many damaged states; the file is as before afterwards."""
    content = path.read_bytes()
    try:
        for harmed in damaged(content, tries):
            path.write_bytes(harmed)
            check(harmed)
    finally:
        path.write_bytes(content)
    return tries


@pytest.mark.fault(
    "Record, predictions, weights or manifest cut off or with a flipped bit", NOTICED
)
@pytest.mark.parametrize("suffix", [".json", ".npz", ".weights.npz", ".sha256"])
def test_a_record(here, record_property, suffix):
    whole, path = results.load("smoke", SLOW), here.results(f"{SLOW}.json")
    weights = path.with_suffix(".weights.npz")
    files.save_bytes(weights, b"weights, as a full record has them")
    named = [path.with_suffix(".npz"), path, weights]
    files.save_all({}, manifest=path.with_suffix(".sha256"), also=named)

    def check(_):
        record, harmed = results.load("smoke", SLOW), results.harmed("smoke", SLOW)
        if suffix == ".sha256":  # what it still vouches for is there
            assert record == whole and not harmed or record is None and harmed
        else:
            assert record is None and harmed == [path.with_suffix(suffix)]

    record_property("tries", tried(path.with_suffix(suffix), 100, check))
    weights.unlink()
    assert results.harmed("smoke", SLOW) == [weights] and results.load("smoke", SLOW) is None
    files.save_all({}, manifest=path.with_suffix(".sha256"), also=named[:2])
    assert results.load("smoke", SLOW) == whole


@pytest.mark.fault("Predictions or manifest gone", "the record does not count without predictions")
def test_missing_files(here, record_property):
    whole, path = results.load("smoke", SLOW), here.results(f"{SLOW}.json")
    for suffix, left in ((".npz", None), (".sha256", whole)):
        content = path.with_suffix(suffix).read_bytes()
        path.with_suffix(suffix).unlink()
        assert results.load("smoke", SLOW) == left
        files.save_bytes(path.with_suffix(suffix), content)
    record_property("tries", 2)


@pytest.mark.fault("Figure cut off or with a flipped bit", "noticed, and drawn again")
def test_figures(here, record_property):
    record, answers = results.load("smoke", SLOW), results.predictions("smoke", SLOW)
    show.confusion(record, answers)
    path = paths.figures("smoke", SLOW) / "confusion.svg"
    whole, tries = path.read_bytes(), 0
    for content in damaged(whole, 200):
        path.write_bytes(content)
        assert show.kept(record, "confusion") is None
        tries += 1
    show.confusion(record, answers)
    assert path.read_bytes() == whole and show.kept(record, "confusion")
    record_property("tries", tries)


@pytest.mark.fault("Prepared data cut off or with a flipped bit", NOTICED)
def test_prepared_data(here, record_property, monkeypatch, capsys):
    monkeypatch.setenv("MIRROR", str(here.mirror))
    tries, whole = 0, datasets.load("mnist").meta
    for name in [
        *(f"{key}.npy" for key in ("x_train", "y_train", "x_test", "y_test")),
        "meta.json",
    ]:
        path = paths.DATA / "mnist" / name
        for content in damaged(path.read_bytes(), 12):
            path.write_bytes(content)
            data = datasets.load("mnist")
            assert (
                data.meta == whole
                and idx.sha256(
                    {key: getattr(data, key) for key in idx.KEYS if getattr(data, key) is not None}
                )
                == whole["sha256"]
            )
            told = capsys.readouterr().out
            assert (
                "is damaged" in told
                and str(paths.DATA / "mnist") in told
                or copies.meta(paths.DATA / "mnist") == whole
            )
            tries += 1
    record_property("tries", tries)


@pytest.mark.fault(
    "Trained network cut off or with a flipped bit",
    "noticed before use; the seed is trained again to the same record",
)
def test_trained_networks(here, record_property):
    stem, tries = paths.trained("smoke", SLOW) / "seed-0", 0
    whole = files.load_json(stem.with_suffix(".json"))

    class Untouched:
        def set_weights(self, weights):
            raise AssertionError("loaded")

    def check(_):
        try:
            assert training._load(Untouched(), stem, whole["key"]) is None
        except AssertionError:  # a manifest cut off after a line still vouches for the first
            assert name == "seed-0.sha256" and not files.harmed(stem.with_suffix(".sha256"))

    for name in ("seed-0.json", "seed-0.weights.npz", "seed-0.sha256"):
        tries += tried(stem.with_name(name), 60, check)
    record_property("tries", tries)


@pytest.mark.fault(
    "Record, predictions, data and network of finished runs damaged at once", NOTICED
)
def test_the_grid_names_what_is_damaged_and_makes_it_again(scene):
    before = {run: scene.record(run) for run in (DONE, SLOW)}
    for path in (
        scene.results(f"{DONE}.npz"),
        scene.data / "mnist" / "x_test.npy",
        scene.data / "trained" / "smoke" / SLOW / "seed-0.weights.npz",
    ):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 16
        path.write_bytes(content)
    path = scene.results(f"{SLOW}.json")
    path.write_text(path.read_text().replace('"epochs": 120', '"epochs": 121'))
    status, out, err = scene.call(DONE, SLOW)
    assert status == 0 and "2 of 2 runs to do" in out, out + err
    assert f"{DONE}.npz damaged" in out and f"{SLOW}.json damaged" in out, out
    scene.assert_whole()
    again = scene.record(SLOW)
    plain = [
        {
            name: value
            for name, value in seed.items()
            if "second" not in name and name not in ("versions", "hardware")
        }
        for content in (before[SLOW], again)
        for seed in content["seeds"]
    ]
    assert plain[0] == plain[1], "what is made again comes out the same"
    status, out, err = scene.call(DONE, SLOW)
    assert "All 2 runs" in out and "up to date" in out, out


@pytest.mark.fault(
    "Executed notebook or a figure damaged or gone", "no reason to execute a run again"
)
def test_what_can_be_made_without_training_is_no_reason_to_train(scene):
    scene.notebooks(f"{SLOW}.ipynb").write_bytes(b"{")
    scene.notebooks(f"{DONE}.ipynb").unlink()
    (scene.out / "figures" / "smoke" / SLOW / "mistakes.png").write_bytes(b"")
    status, out, err = scene.call(DONE, SLOW)
    assert status == 0 and "up to date" in out, out + err
    assert scene.call(SLOW, FORCE="1")[0] == 0
    scene.assert_whole()


@pytest.mark.fault(
    "Report cut off or with a flipped bit", "noticed, written again with the same bytes"
)
@pytest.mark.parametrize("name", ["report.html", "report.pdf", ".report.json"])
def test_reports(scene, name):
    if scene.results(
        f"{DONE}.json"
    ).exists():  # a run without measurements, which no report is made for
        scene.results(f"{DONE}.json").unlink()
    assert scene.call(module="report")[0] == 0
    folder = scene.out / "report" / "smoke"
    whole = {path.name: path.read_bytes() for path in folder.glob("report.*")}
    path = folder / name
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])
    status, out, err = scene.call(module="report")
    assert status == 0 and out.count(", written") == 2, out + err
    assert {path.name: path.read_bytes() for path in folder.glob("report.*")} == whole


@pytest.fixture
def searched(folders, eager):
    """`searched()` runs or resumes a tiny random search and returns how many trials it trained."""
    from helpers.batches import Split
    from helpers.store.backend import keras

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

    def again():
        trained = []

        def build(hp, shape, classes):
            trained.append(1)
            model = keras.Sequential(
                [
                    keras.layers.Input(shape),
                    keras.layers.Rescaling(1 / 255),
                    keras.layers.Flatten(),
                    keras.layers.Dense(hp.Int("units", 2, 32)),
                    keras.layers.Dense(classes, activation="softmax"),
                ]
            )
            return model, keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-1, sampling="log"))

        tuner = search.run(
            "random search",
            build,
            parts,
            4,
            batch_size=20,
            trials=2,
            trial_epochs=1,
            seed=0,
            run="k49-search",
            profile="smoke",
        )
        return len(trained), search.trials_of(tuner, "random search")

    return again


@pytest.mark.fault(
    "Trial of a search cut off or altered",
    "noticed, named, moved aside; the search begins again to the same trials",
)
@pytest.mark.parametrize(
    "name, change",
    [
        ("oracle.json", lambda text: text[:-20]),
        ("trial.json", lambda text: text[:-20]),
        ("trial.json", lambda text: text.replace(b'"units": 1', b'"units": 2')),
        ("curves", lambda text: text.replace(b'"seconds": ', b'"seconds": 1')),
        ("checkpoint.weights.h5", lambda text: text[:-9] + b"bad bytes"),
    ],
)
def test_searches(searched, capsys, name, change):
    _, first = searched()
    folder = next(paths.trained("smoke", "k49-search").iterdir())
    rest, again = searched()
    assert rest <= 1 and again == first, (
        "whole, nothing is trained again"
    )  # one build asks for the space
    path = sorted(folder.rglob("curves/*.json" if name == "curves" else name))[0]
    before = path.read_bytes()
    path.write_bytes(change(before))
    if path.read_bytes() == before:
        path.write_bytes(before.replace(b'"units": ', b'"units": 1'))
    capsys.readouterr()
    trained, again = searched()
    assert "is damaged" in capsys.readouterr().out and trained >= 2
    assert [(one["values"], one["score"]) for one in again] == [
        (one["values"], one["score"]) for one in first
    ], "the seed decides"
