"""The public interface of the data step, on tiny mirrors: what is loaded, refused, mended."""

import hashlib
import io
import json
import re
import zipfile

import numpy as np
import pytest

from helpers import datasets
from helpers.datasets import arrays as idx
from helpers.datasets import copies, standins
from helpers.datasets.catalogue import SETS
from helpers.store import files, paths
from helpers.store.paths import UserError


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """An empty data folder, no network, no switches."""
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    monkeypatch.setenv("KERAS_REPORTS_ONLINE", "0")
    for switch in ("DATA", "MIRROR"):
        monkeypatch.delenv(switch, raising=False)


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    return tmp_path / "mirror"


@pytest.fixture
def drawn(monkeypatch):
    """Stand-ins without the time that drawing takes."""
    monkeypatch.setattr(standins, "draw", lambda name: images(len(SETS[name].class_names), seed=9))


def images(classes=10, train=30, test=12, side=28, seed=0):
    rng = np.random.default_rng(seed)
    train, test = max(train, classes), max(test, classes)
    return {
        "x_train": rng.integers(0, 256, (train, side, side), np.uint8),
        "y_train": (np.arange(train) % classes).astype(np.uint8),
        "x_test": rng.integers(0, 256, (test, side, side), np.uint8),
        "y_test": (np.arange(test) % classes).astype(np.uint8),
    }


def put(mirror, name, arrays, damage=lambda content: content, /, **record):
    """Write NAME.npz and NAME.json; `damage` changes the bytes before they are hashed."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    content = damage(content.getvalue())
    (mirror / f"{name}.npz").write_bytes(content)
    record = {
        "name": name,
        "title": name.upper(),
        "complete": True,
        "split": "official",
        "licence": "MIT",
        "note": "",
        "sha256": hashlib.sha256(content).hexdigest(),
    } | record
    (mirror / f"{name}.json").write_text(
        json.dumps({key: value for key, value in record.items() if value is not None})
    )


def test_load_gives_the_mirrors_arrays_memory_mapped_and_read_only(mirror):
    arrays = images()
    put(mirror, "mnist", arrays)
    data = datasets.load("mnist", mirror=mirror)
    for key, array in arrays.items():
        assert np.array_equal(getattr(data, key), array)
    assert isinstance(data.x_train, np.memmap) and not data.x_train.flags.writeable
    assert (data.image_shape, data.classes, data.kind, data.label) == (
        (28, 28, 1),
        10,
        "official",
        "MNIST",
    )
    assert data.hand_train is None
    assert set(copies.RECORDED) <= set(data.meta)
    assert data.meta["sha256"] == idx.sha256(arrays)


def test_mode_and_mirror_come_from_the_environment(mirror, monkeypatch):
    put(mirror, "mnist", images())
    monkeypatch.setenv("MIRROR", str(mirror))
    monkeypatch.setenv("DATA", "real")
    assert datasets.load("mnist").kind == "official"


def test_hands_are_loaded_with_fingers(mirror):
    arrays = images(6, side=128) | {
        "hand_train": np.zeros(30, np.uint8),
        "hand_test": np.ones(12, np.uint8),
    }
    put(mirror, "fingers", arrays, complete=False)
    data = datasets.load("fingers", mirror=mirror)
    assert data.hand_test.tolist() == [1] * 12
    assert data.label == "FINGERS (part of the official set)"


def test_a_second_prepare_touches_nothing_and_needs_no_mirror(mirror):
    put(mirror, "mnist", images())
    first = datasets.prepare("mnist", mirror=mirror)
    said = []
    assert datasets.prepare("mnist", say=said.append) == first == datasets.prepared("mnist")
    assert said == []


def test_prepared_reads_no_arrays(mirror):
    put(mirror, "mnist", images())
    meta = datasets.prepare("mnist", mirror=mirror)
    for path in (paths.DATA / "mnist").glob("*.npy"):
        path.unlink()
    assert datasets.prepared("mnist", mirror=mirror) == meta


def test_without_network_or_mirror_a_stand_in_is_drawn_and_said_to_be_one(drawn):
    said = []
    meta = datasets.prepare("mnist", say=said.append)
    assert meta["kind"] == "stand-in"
    assert "no network" in said[0] and "STAND-IN" in said[0] and "not MNIST" in said[0]
    assert (paths.DATA / "stand-in" / "mnist" / "meta.json").exists() and not (
        paths.DATA / "mnist"
    ).exists()
    assert datasets.load("mnist").label == "STAND-IN for MNIST: drawn by this program"


def test_real_mode_refuses_a_stand_in_and_says_what_to_fetch_and_where_to_put_it(drawn):
    datasets.prepare("mnist")
    assert datasets.prepared("mnist", "real") is None
    with pytest.raises(
        UserError,
        match="no real images of mnist .*ubyte.gz files into .*downloads.mnist.*MIRROR=DIR",
    ):
        datasets.load("mnist", "real")


def test_stand_in_mode_ignores_real_copies_and_mirrors(drawn, mirror):
    put(mirror, "mnist", images())
    datasets.prepare("mnist", mirror=mirror)
    assert datasets.load("mnist", "stand-in", mirror).kind == "stand-in"


@pytest.mark.parametrize("there", [True, False])
def test_that_a_mirror_is_passed_over_for_stand_ins_is_said_once(drawn, mirror, capsys, there):
    folder = mirror if there else mirror / "elsewhere"
    put(mirror, "mnist", images())
    datasets.prepare("mnist", "stand-in")
    assert "not read" not in capsys.readouterr().out
    for name in ("mnist", "mnist", "fashion_mnist"):
        assert datasets.load(name, "stand-in", folder).kind == "stand-in"
    assert capsys.readouterr().out.count(f"{folder} is not read: DATA=stand-in draws all") == 1


def test_a_mirror_given_later_takes_the_stand_ins_place(drawn, mirror):
    datasets.prepare("mnist")
    put(mirror, "mnist", images())
    assert datasets.prepared("mnist", mirror=mirror) is None
    assert datasets.load("mnist", mirror=mirror).kind == "official"
    assert (
        datasets.load("mnist").kind == "official"
    )  # a real copy on disk wins without the mirror too


def test_a_changed_mirror_file_is_unpacked_again(mirror):
    put(mirror, "mnist", images(seed=1))
    old = datasets.load("mnist", mirror=mirror).meta["sha256"]
    put(mirror, "mnist", images(seed=2))
    assert datasets.load("mnist", mirror=mirror).meta["sha256"] != old


def test_kuzushiji49_falls_back_on_kanji_until_a_mirror_has_the_set_itself(mirror):
    put(mirror, "kuzushiji_kanji49", images(49), complete=False, title="Kuzushiji-Kanji")
    data = datasets.load("kuzushiji49", "real", mirror)
    assert (data.name, data.meta["name"], data.kind) == (
        "kuzushiji49",
        "kuzushiji_kanji49",
        "substitute",
    )
    assert data.label == "Kuzushiji-Kanji (in place of Kuzushiji-49)"
    assert datasets.load("kuzushiji_kanji49", mirror=mirror).kind == "partial"
    put(mirror, "kuzushiji49", images(49, seed=3), title="Kuzushiji-49")
    assert datasets.load("kuzushiji49", "real", mirror).kind == "official"


def test_a_stand_in_for_kuzushiji49_gives_way_to_the_mirrors_kanji(drawn, mirror):
    assert datasets.load("kuzushiji49").kind == "stand-in"
    put(mirror, "kuzushiji_kanji49", images(49), complete=False)
    assert datasets.load("kuzushiji49", mirror=mirror).kind == "substitute"


def test_kanji_have_no_stand_in():
    with pytest.raises(UserError, match="kuzushiji_kanji49.*MIRROR=DIR"):
        datasets.load("kuzushiji_kanji49")


def test_a_set_of_ones_own_needs_only_two_files(mirror):
    absent = dict.fromkeys(["title", "complete", "split", "licence", "note", "sha256"])
    put(mirror, "my_shapes", images(3, side=20), **absent)
    data = datasets.load("my_shapes", mirror=mirror)
    assert (data.image_shape, data.classes, data.class_names) == ((20, 20, 1), 3, ["0", "1", "2"])
    assert data.label == "my_shapes"
    assert datasets.load("my_shapes").kind == "own"  # from data/, no mirror needed any more


@pytest.mark.parametrize("name", ["shapes", "my-shapes", "9lives", "form_ä"])
@pytest.mark.parametrize("text", ["{}", '{"class_names": null, "sha256": null}', '{"title": "S"}'])
def test_an_empty_record_is_enough_for_a_set_of_ones_own(mirror, name, text):
    put(mirror, name, images(3, side=20))
    (mirror / f"{name}.json").write_text(text)
    assert datasets.prepared(name, mirror=mirror) is None, "yet to be made"
    assert datasets.load(name, mirror=mirror).classes == 3
    put(mirror, "mnist", images())
    (mirror / "mnist.json").write_text("{}")
    with pytest.raises(UserError, match="mnist.npz has no sha256"):
        datasets.load("mnist", mirror=mirror)


@pytest.mark.parametrize(
    "change, text",
    [
        ({"name": "squares"}, 'its name is "squares", its file\'s shapes'),
        ({"name": "Shapes"}, 'its name is "Shapes"'),
        ({"name": 7}, "name is 7; it must be a text"),
        ({"train": "30"}, 'train is "30"; it must be a whole number'),
        ({"image_shape": 28}, "image_shape is 28; it must be a list"),
        ({"class_names": "abc"}, 'class_names is "abc"; it must be a list'),
        ({"complete": "yes"}, 'complete is "yes"; it must be true or false'),
        ({"sha256": "7a00"}, "sha256 is '7a00'; it must be the 64 digits"),
        ({"sha256": 7}, "sha256 is 7; it must be a text"),
    ],
)
def test_a_field_of_a_record_that_cannot_be_is_named(mirror, change, text):
    put(mirror, "shapes", images(3), **change)
    with pytest.raises(UserError, match=f"shapes.json: {text}"):
        datasets.load("shapes", mirror=mirror)


@pytest.mark.parametrize("written", [str.upper, "sha256:{}".format, " {}\n".format, str.title])
def test_a_checksum_may_be_written_as_other_programs_do(mirror, written):
    put(mirror, "mnist", images())
    record = json.loads((mirror / "mnist.json").read_text())
    record["sha256"] = written(record["sha256"])
    (mirror / "mnist.json").write_text(json.dumps(record))
    meta = datasets.load("mnist", mirror=mirror).meta
    assert datasets.prepared("mnist", mirror=mirror) == meta, "and counts as unchanged"


@pytest.mark.parametrize("absent", [["x_test"], ["y_test", "x_test"], ["y_train"], idx.KEYS])
def test_an_archive_without_all_arrays_says_which_are_missing(mirror, absent):
    arrays = {key: array for key, array in images(3).items() if key not in absent}
    put(mirror, "shapes", arrays | {"labels": np.zeros(3)})
    missing = "x_train, y_train, x_test, y_test" if len(absent) > 4 else absent[0]
    with pytest.raises(UserError, match=f"shapes.npz: .*{missing}.* missing, there is .*labels"):
        datasets.load("shapes", mirror=mirror)


@pytest.mark.parametrize("label", [0, 1, 7])
def test_a_set_of_one_class_only_is_refused(mirror, label):
    arrays = images(3)
    put(mirror, "shapes", arrays | {"y_train": np.full_like(arrays["y_train"], label)})
    with pytest.raises(UserError, match=f"shapes.npz: y_train holds one class only, {label};"):
        datasets.load("shapes", mirror=mirror)


@pytest.mark.parametrize(
    "title, shown", [("", "shapes"), (" \n", "shapes"), (" Two\nlines ", "Two lines")]
)
def test_a_title_is_one_line_and_never_blank(mirror, title, shown):
    put(mirror, "shapes", images(3), title=title, complete=None)
    assert datasets.load("shapes", mirror=mirror).label == shown


def test_labels_that_are_a_single_number_are_refused(mirror):
    put(mirror, "shapes", images(3) | {"y_train": np.uint8(3)})
    with pytest.raises(UserError, match="shapes.npz: y_train holds one class only, 3;"):
        datasets.load("shapes", mirror=mirror)


@pytest.mark.parametrize("name", ["my shapes", "-shapes", "shapes.v2", "a/b"])
def test_a_name_that_cannot_be_says_of_what_names_consist(mirror, name):
    with pytest.raises(UserError, match="a name has letters, digits, - and _"):
        datasets.load(name, mirror=mirror)


@pytest.mark.parametrize("name", ["shapse", "my-shapes", "Shapes"])
def test_a_name_that_the_mirror_lacks_is_told_what_it_holds(mirror, name):
    put(mirror, "shapes", images(3))
    with pytest.raises(UserError, match="mirror holds shapes"):
        datasets.load(name, mirror=mirror)


def test_arrays_in_fortran_order_are_taken_as_they_are(mirror):
    arrays = images(3, side=20)
    put(mirror, "shapes", arrays | {"x_train": np.asfortranarray(arrays["x_train"])})
    assert datasets.load("shapes", mirror=mirror).meta["sha256"] == idx.sha256(arrays)


def scaled(array, kind):
    return (array / 255).astype(kind)


@pytest.mark.parametrize(
    "x, y",
    [
        (lambda x: x.astype("int64"), lambda y: y.astype("int64")),
        (lambda x: x.astype(">u2"), lambda y: y.astype(">i4")),
        (lambda x: scaled(x, "float32"), lambda y: y.astype("float64")),
        (lambda x: scaled(x, "float16"), lambda y: y.astype("uint32")),
        (lambda x: scaled(x, ">f8"), lambda y: y.astype("int8")),
        (lambda x: x.astype("float32"), lambda y: y.astype("float32")),
        (lambda x: x.astype("float64"), lambda y: y),
    ],
)
def test_arrays_of_another_type_are_taken_where_that_is_safe(mirror, x, y, capsys):
    arrays = images(3, side=20)
    other = {key: (x if key[0] == "x" else y)(array) for key, array in arrays.items()}
    put(mirror, "shapes", other)
    data = datasets.load("shapes", mirror=mirror)
    assert data.meta["sha256"] == idx.sha256(arrays), "the same images have the same hash"
    said = capsys.readouterr().out
    assert f"x_test: {other['x_test'].dtype} converted to uint8" in said
    assert ("scaled to 0 to 255" in said) == (other["x_train"].max() <= 1)


def test_black_and_white_images_and_two_classes_keep_their_meaning(mirror):
    arrays = images(2, side=20)
    ink = {key: arrays[key] > 127 for key in ("x_train", "x_test")}
    labels = {key: arrays[key] > 0 for key in ("y_train", "y_test")}
    put(mirror, "shapes", ink | labels)
    data = datasets.load("shapes", mirror=mirror)
    assert np.array_equal(data.x_test, ink["x_test"] * 255)
    assert np.array_equal(data.y_train, arrays["y_train"])


@pytest.mark.parametrize("kind", ["uint8", "int64", ">u2", "float32", "bool"])
def test_images_of_0_and_1_are_black_and_white_and_not_almost_black(mirror, kind, capsys):
    arrays = images(2, side=20)
    ink = {key: (arrays[key] > 127).astype(kind) for key in ("x_train", "x_test")}
    put(mirror, "shapes", arrays | ink)
    data = datasets.load("shapes", mirror=mirror)
    assert np.array_equal(data.x_train, (arrays["x_train"] > 127) * 255)
    assert np.array_equal(data.x_test, (arrays["x_test"] > 127) * 255)
    said = capsys.readouterr().out
    assert said.count("0 and 1 scaled to 0 to 255") == 2, "a line for each array"
    assert "y_train: 0" not in said and set(data.y_train.tolist()) == {0, 1}


@pytest.mark.parametrize("highest", [2, 255])
def test_images_that_go_beyond_1_anywhere_are_taken_as_they_are(mirror, highest, capsys):
    dark = images(2, train=6000) | {"x_train": np.zeros((6000, 28, 28), np.uint8)}
    dark["x_train"][0], dark["x_train"][-1, -1, -1] = 1, highest  # in the last of two blocks
    put(mirror, "shapes", dark)
    assert np.array_equal(datasets.load("shapes", mirror=mirror).x_train, dark["x_train"])
    assert "scaled" not in capsys.readouterr().out


@pytest.mark.parametrize("small, large", [("x_train", "x_test"), ("x_test", "x_train")])
@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_training_and_test_images_in_two_scales_are_refused(mirror, small, large, kind):
    arrays = images(3)
    put(mirror, "shapes", arrays | {small: (arrays[small] > 127).astype(kind)})
    text = f"shapes.npz: {small} goes to 1 and {large} beyond: give both in one scale"
    with pytest.raises(UserError, match=text):
        datasets.load("shapes", mirror=mirror)
    black = {small: np.zeros_like(arrays[small], kind)}  # of which no scale can be told
    put(mirror, "shapes", arrays | black)
    assert not getattr(datasets.load("shapes", mirror=mirror), small).any()


def labelled(arrays, change):
    return arrays | {key: change(arrays[key]) for key in ("y_train", "y_test")}


@pytest.mark.parametrize(
    "change, names, shown, text",
    [
        (lambda y: y + 1, None, ["1", "2", "3"], "3 labels from 1 to 3, here from 0 on; .*label"),
        (lambda y: y + 1, list("abc"), list("abc"), "3 labels from 1 to 3, here from 0 on\n"),
        (lambda y: y * 5 + 3, None, ["3", "8", "13"], "3 labels from 3 to 13"),
        (lambda y: y * 2, None, ["0", "2", "4"], "3 labels from 0 to 4"),
        (lambda y: (y + 1).astype("int64"), None, ["1", "2", "3"], "3 labels from 1 to 3"),
    ],
)
def test_labels_that_do_not_count_from_0_leave_no_class_empty(
    mirror, change, names, shown, text, capsys
):
    put(mirror, "shapes", labelled(images(3), change), class_names=names)
    data = datasets.load("shapes", mirror=mirror)
    assert data.class_names == shown and data.classes == 3
    assert np.array_equal(data.y_test, images(3)["y_test"])
    assert re.search(text, capsys.readouterr().out)
    assert datasets.load("shapes").meta["sha256"] == idx.sha256(images(3))


def test_labels_that_count_from_0_are_left_alone_without_a_word(mirror, capsys):
    put(mirror, "shapes", images(3), class_names=list("abc"))
    assert np.array_equal(datasets.load("shapes", mirror=mirror).y_test, images(3)["y_test"])
    assert "from 0 on" not in capsys.readouterr().out


def test_a_class_without_training_images_is_named(mirror, capsys):
    put(mirror, "shapes", labelled(images(3), lambda y: y + 1), class_names=list("abcde"))
    data = datasets.load("shapes", mirror=mirror)
    assert np.array_equal(data.y_test, images(3)["y_test"] + 1), "5 names: 1 may be b"
    assert "shapes: no training image of a, e\n" in capsys.readouterr().out


def test_a_test_label_without_training_images_or_a_name_is_refused(mirror):
    arrays = images(3)
    put(mirror, "shapes", arrays | {"y_test": arrays["y_test"] + 1})
    with pytest.raises(UserError, match="y_test holds label 3, which no training image has"):
        datasets.load("shapes", mirror=mirror)
    put(mirror, "shapes", labelled(arrays, lambda y: y * 3), class_names=list("abc"))
    with pytest.raises(UserError, match="y_train holds label 6 of 3 classes, counted from 0"):
        datasets.load("shapes", mirror=mirror)


@pytest.mark.parametrize("name", ["mnits", "../mnist", "downloads", "stand-in", ""])
def test_an_unknown_data_set_names_the_known_ones(name):
    with pytest.raises(UserError, match="Unknown data set.*fashion_mnist.*kuzushiji49"):
        datasets.load(name)


def test_an_unknown_mode_names_the_known_ones():
    with pytest.raises(UserError, match="auto, real, stand-in"):
        datasets.load("mnist", "reel")


def test_a_mirror_that_does_not_exist_is_an_error_even_where_the_copy_is_there(mirror):
    put(mirror, "mnist", images())
    datasets.prepare("mnist", mirror=mirror)
    with pytest.raises(UserError, match="no mirror folder .*elsewhere"):
        datasets.prepared("mnist", mirror=mirror / "elsewhere")


def no_partial_left():
    return not any(paths.DATA.glob(".*")) and not (paths.DATA / "mnist").exists()


def test_a_mirror_file_that_differs_from_its_record_is_refused(mirror, drawn):
    put(mirror, "mnist", images(), sha256="0" * 64)
    with pytest.raises(UserError, match="mnist.npz is not the file that mnist.json describes"):
        datasets.load("mnist", mirror=mirror)
    assert no_partial_left()


@pytest.mark.parametrize(
    "change, text",
    [
        ({"sha256": None}, "no sha256"),
        ({"train": 31}, "30 train images; its record promises 31"),
        ({"class_names": ["a", "b"]}, "class_names"),
    ],
)
def test_a_record_that_does_not_fit_its_file_is_refused(mirror, change, text):
    put(mirror, "mnist", images(), **change)
    with pytest.raises(UserError, match=text):
        datasets.load("mnist", mirror=mirror)
    assert no_partial_left()


def test_half_a_mirror_entry_is_refused(mirror):
    put(mirror, "mnist", images())
    (mirror / "mnist.npz").rename(mirror / "fashion_mnist.npz")
    with pytest.raises(UserError, match="mnist.npz is missing"):
        datasets.load("mnist", mirror=mirror)
    with pytest.raises(UserError, match="fashion_mnist.npz has no record"):
        datasets.load("fashion_mnist", mirror=mirror)
    (mirror / "mnist.json").write_text("{")
    with pytest.raises(UserError, match="mnist.json is not a JSON object"):
        datasets.load("mnist", mirror=mirror)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-30],
        lambda content: content[:5000] + b"????" + content[5004:],
        lambda content: b"",
    ],
)
def test_a_truncated_or_altered_npz_is_named(mirror, damage):
    put(mirror, "mnist", images(), damage)
    with pytest.raises(UserError, match="mnist.npz is truncated or damaged"):
        datasets.load("mnist", mirror=mirror)
    assert no_partial_left()


@pytest.mark.parametrize(
    "change, text",
    [
        ({"y_test": np.full(12, 10, np.uint8)}, "y_test holds label 10"),
        ({"x_train": np.zeros((30, 28, 29), np.uint8)}, r"images of \(28, 29\)"),
        ({"x_train": np.zeros((30, 28, 28, 1), np.uint8)}, "x_train has shape"),
        (
            {"x_train": np.full((30, 28, 28), 1.5)},
            "x_train holds float64 from 1.5 to 1.5; it must hold whole numbers .*fractions",
        ),
        ({"x_train": np.full((30, 28, 28), np.nan)}, "x_train holds float64 from nan to nan"),
        ({"x_test": np.full((12, 28, 28), 256)}, "x_test holds int64 from 256 to 256"),
        ({"x_test": np.full((12, 28, 28), -1, np.int8)}, "x_test holds int8 from -1 to -1"),
        ({"y_train": np.linspace(0, 1, 30)}, "y_train holds float64 from 0 to 1; .*whole numbers"),
        ({"y_train": np.array(["a"] * 30)}, "y_train holds <U1, .*names go into class_names"),
        ({"x_train": np.zeros((30, 28, 28), complex)}, "x_train holds complex128"),
        ({"y_train": np.zeros(29, np.uint8)}, r"y_train has shape \(29,\) for 30 images"),
        (
            {"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, np.uint8)},
            "no records",
        ),
        ({"hand_train": np.zeros(30, np.uint8)}, "hand_train and hand_test"),
        ({"y_train": np.array([{}] * 30)}, "y_train holds object"),
    ],
)
def test_arrays_that_are_no_labelled_images_are_refused(mirror, change, text):
    put(mirror, "mnist", images() | change)
    with pytest.raises(UserError, match=text) as refused:
        datasets.load("mnist", mirror=mirror)
    assert no_partial_left()
    assert "damaged" not in str(refused.value), "it is sound"


def test_no_message_of_the_data_step_advises_to_delete_what_may_be_the_only_copy():
    sources = (paths.ROOT / "helpers/datasets").rglob("*.py")
    advice = [
        line
        for path in sources
        for line in path.read_text(encoding="utf-8").splitlines()
        if "delete it" in line.lower() or "delete them" in line.lower()
    ]
    assert advice == []


def test_a_hostile_npy_header_is_refused_before_anything_is_allocated(mirror):
    def promise_the_moon(content):
        header = io.BytesIO()
        claim = {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)}
        np.lib.format.write_array_header_1_0(header, claim)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for key in ("x_train", "y_train", "x_test", "y_test"):
                archive.writestr(f"{key}.npy", header.getvalue() + b"pixels")
        return packed.getvalue()

    put(mirror, "mnist", images(), promise_the_moon)
    with pytest.raises(
        UserError,
        match="mnist.npz is truncated or damaged .*size 6 into shape .1000000000000,28,28",
    ):
        datasets.load("mnist", mirror=mirror)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "x_train.npy").write_bytes(
            (folder / "x_train.npy").read_bytes()[:-1]
        ),
        lambda folder: (folder / "y_test.npy").write_bytes(b""),
        lambda folder: (folder / "y_test.npy").unlink(),
        lambda folder: (folder / "meta.json").write_text('{"name": "mni'),
        lambda folder: np.save(folder / "y_train.npy", np.zeros(30, np.uint8)),
        lambda folder: np.save(folder / "hand_train.npy", np.zeros(30, np.uint8)),
    ],
)
def test_a_damaged_copy_is_named_moved_away_and_made_again(mirror, damage, capsys):
    arrays = images()
    put(mirror, "mnist", arrays)
    datasets.prepare("mnist", mirror=mirror)
    damage(paths.DATA / "mnist")
    capsys.readouterr()
    assert np.array_equal(datasets.load("mnist", mirror=mirror).y_train, arrays["y_train"])
    assert "mnist is damaged" in capsys.readouterr().out
    assert (paths.DATA / "mnist.damaged").is_dir()


@pytest.mark.parametrize("file", ["y_test.npy", "meta.json"])
def test_a_damaged_real_copy_is_never_quietly_replaced_by_a_stand_in(mirror, drawn, file):
    put(mirror, "mnist", images())
    datasets.prepare("mnist", mirror=mirror)
    (paths.DATA / "mnist" / file).unlink()
    with pytest.raises(UserError, match="no real images of mnist"):
        datasets.load("mnist")


def test_a_damaged_stand_in_is_drawn_again(drawn):
    datasets.prepare("mnist")
    np.save(paths.DATA / "stand-in" / "mnist" / "y_train.npy", np.zeros(30, np.uint8))
    assert datasets.load("mnist").y_train.max() == 9


def test_an_interrupted_preparation_leaves_nothing_behind(mirror, monkeypatch):
    put(mirror, "mnist", images())

    def interrupted(arrays):
        raise KeyboardInterrupt

    monkeypatch.setattr(idx, "sha256", interrupted)
    with pytest.raises(KeyboardInterrupt):
        datasets.prepare("mnist", mirror=mirror)
    assert no_partial_left()


def test_a_refused_replacement_leaves_the_old_copy_in_use(mirror):
    put(mirror, "mnist", images())
    old = datasets.load("mnist", mirror=mirror).meta["sha256"]
    put(mirror, "mnist", images() | {"y_test": np.full(12, 200, np.uint8)})
    with pytest.raises(UserError, match="label 200"):
        datasets.load("mnist", mirror=mirror)
    assert datasets.load("mnist").meta["sha256"] == old


def test_an_unwritable_data_folder_is_one_clear_error(mirror, tmp_path, monkeypatch):
    put(mirror, "mnist", images())
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(paths, "DATA", tmp_path / "file" / "data")
    with pytest.raises(UserError, match="Cannot write .*DATA_DIR=DIR"):
        datasets.load("mnist", mirror=mirror)


def test_the_hash_depends_on_names_shapes_and_bytes():
    arrays = images()
    sums = {
        idx.sha256(arrays),
        idx.sha256(arrays | {"x_train": arrays["x_train"].reshape(30, 14, 56)}),
        idx.sha256(arrays | {"x_train": arrays["x_train"][::-1]}),
        idx.sha256(arrays | {"hand_test": arrays["y_test"]}),
    }
    assert len(sums) == 4
    assert idx.sha256(dict(reversed(arrays.items()))) in sums


def test_every_set_with_official_files_has_a_stand_in():
    for name, entry in SETS.items():
        assert standins.known(name) == bool(entry.read)


def test_each_entry_of_the_catalogue_has_all_that_its_official_files_need():
    for entry in SETS.values():
        assert len(entry.class_names) == len(set(entry.class_names)) > 1
        assert (entry.read is None) == (entry.train is None) == (not entry.by_hand)
        assert entry.substitute in ("", *SETS)


def test_a_copy_of_an_earlier_version_without_a_manifest_is_used(mirror):
    put(mirror, "mnist", images())
    meta = datasets.prepare("mnist", mirror=mirror)
    (paths.DATA / "mnist" / copies.MANIFEST).unlink()
    files.save_json(paths.DATA / "mnist" / "meta.json", {**meta, "content_sha256": "0" * 64})
    assert datasets.load("mnist").meta["sha256"] == meta["sha256"]
    assert not (paths.DATA / "mnist.damaged").exists()


def test_a_changed_word_in_the_provenance_is_noticed(mirror):
    put(mirror, "mnist", images())
    meta = datasets.prepare("mnist", mirror=mirror)
    path = paths.DATA / "mnist" / "meta.json"
    path.write_text(path.read_text().replace('"official"', '"partial"'))
    assert datasets.prepared("mnist") is None
    assert datasets.load("mnist", mirror=mirror).meta == meta


def test_split_takes_each_class_and_hand_in_its_share_and_forgets_none():
    y, hand = (
        np.repeat(np.arange(6, dtype=np.uint8), 100),
        np.tile(np.arange(2, dtype=np.uint8), 300),
    )
    train, validation = datasets.split(y, 120, seed=0, strata=hand)
    assert sorted([*train, *validation]) == list(range(600))
    assert (np.diff(train) > 0).all() and (np.diff(validation) > 0).all()
    assert np.bincount(y[validation] * 2 + hand[validation]).tolist() == [10] * 12


def test_split_gives_exactly_the_number_asked_for_where_shares_are_odd():
    y = np.repeat(np.arange(4, dtype=np.uint8), [3, 50, 7, 41])
    for validation in range(102):
        train, held_out = datasets.split(y, validation, seed=1)
        assert len(held_out) == validation and len(train) == 101 - validation
        shares = np.bincount(y[held_out], minlength=4) - np.array([3, 50, 7, 41]) * validation / 101
        assert np.abs(shares).max() < 1


def test_split_depends_on_the_seed_alone():
    y = np.arange(200, dtype=np.uint8) % 10
    assert np.array_equal(datasets.split(y, 50, 0)[1], datasets.split(y, 50, 0)[1])
    assert not np.array_equal(datasets.split(y, 50, 0)[1], datasets.split(y, 50, 1)[1])


def test_split_refuses_more_images_than_there_are():
    with pytest.raises(UserError, match="validation"):
        datasets.split(np.zeros(10, np.uint8), 11, 0)
