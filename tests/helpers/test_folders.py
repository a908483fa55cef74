"""A data set from a folder of pictures: every kind of file, the split, what is refused."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import copies, folders
from helpers.store import paths
from helpers.store.paths import UserError


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of two classes, ten pictures each, of two shapes and in two formats."""
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    rng = np.random.default_rng(0)
    for label, base in (("cat", 40), ("dog", 160)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(10):
            shape = (40, 60) if number % 2 else (90, 50)
            pixels = rng.integers(base, base + 60, shape).astype(np.uint8)
            kind = "png" if number % 2 else "jpg"
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{number}.{kind}")
    return tmp_path / "photos"


def made(photos, **options):
    """The set made from the folder, and what was said."""
    said = []
    datasets.from_folder(photos, "photos", side=24, say=said.append, **options)
    return datasets.load("photos"), "\n".join(said)


def test_a_folder_becomes_a_set_that_load_knows(photos):
    data, said = made(photos)
    assert (data.kind, data.class_names, data.image_shape) == ("own", ["cat", "dog"], (24, 24, 1))
    assert np.bincount(data.y_train).tolist() == [8, 8] and np.bincount(data.y_test).tolist() == [
        2,
        2,
    ]
    assert data.x_train[data.y_train == 0].mean() < 110 < data.x_train[data.y_train == 1].mean()
    assert "dog" in said and "ready" in said
    again, _ = made(photos)
    assert again.meta["sha256"] == data.meta["sha256"], "the same pictures, the same split"


def test_a_copy_that_a_kill_hid_between_two_renames_is_put_back_by_the_next_call(photos):
    data, _ = made(photos)
    there, hidden = paths.DATA / "photos", paths.DATA / ".photos.old"
    there.rename(hidden)
    for picture in (photos / "dog").iterdir():
        picture.write_bytes(b"no picture")
    with pytest.raises(UserError, match="2 to 256|at least 4"):
        made(photos)
    assert hidden.exists(), "nothing was made, nothing is lost"

    def fails():
        raise UserError("the source is gone")

    with pytest.raises(UserError, match="gone"):
        copies.make("photos", fails, print)
    assert datasets.load("photos").meta == data.meta and not hidden.exists()
    shutil.copytree(there, hidden)  # killed after the second rename: a newer one is in its place
    with pytest.raises(UserError, match="gone"):
        copies.make("photos", fails, print)
    assert there.exists() and not hidden.exists()


def test_equal_pictures_stay_on_one_side(photos):
    for number in range(10):
        original = photos / "cat" / f"{number}.{'png' if number % 2 else 'jpg'}"
        (photos / "cat" / f"copy-{number}{original.suffix}").write_bytes(original.read_bytes())
    data, said = made(photos)
    rows = {part.tobytes() for part in data.x_train}
    assert len(data.y_train) + len(data.y_test) == 30
    assert not any(image.tobytes() in rows for image in data.x_test)


def test_folders_train_and_test_are_the_split(photos, tmp_path):
    for part, numbers in (("train", range(7)), ("test", range(7, 10))):
        for label in ("cat", "dog"):
            (tmp_path / "split" / part / label).mkdir(parents=True)
            for number in numbers:
                name = f"{number}.{'png' if number % 2 else 'jpg'}"
                whole = (photos / label / name).read_bytes()
                (tmp_path / "split" / part / label / name).write_bytes(whole)
    data, _ = made(tmp_path / "split")
    assert (len(data.y_train), len(data.y_test)) == (14, 6)
    assert data.meta["split"] == "folders train and test"


def troubles(folder):
    """One file of each troublesome kind; name -> a word of the line that it must get."""
    grey = Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40).astype(np.uint8))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    grey.resize((400, 400)).save(folder / "whole.jpg")
    (folder / "damaged.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:900])
    Image.new("L", (10_000, 10_000)).save(folder / "huge.png")
    Image.new("L", (10_000, 10_000), 9).save(folder / "large.jpg")
    grey.save(folder / "moving.gif", save_all=True, append_images=[grey.rotate(90), grey.rotate(9)])
    grey.convert("CMYK").save(folder / "print.jpg")
    grey.convert("RGB").save(folder / "red.webp")
    Image.fromarray(np.full((30, 40), 40_000, np.uint16)).save(folder / "deep.png")
    Image.fromarray(np.ones((30, 40), np.float32)).save(folder / "shares.tif")
    exif = Image.Exif()
    exif[0x0112] = 6
    grey.save(folder / "turned.jpg", exif=exif)
    return {
        **{"empty.jpg": "is empty", "notes.txt": "is no JPEG", "damaged.jpg": "is damaged"},
        **{"huge.png": "100 megapixels", "large.jpg": "read at a fraction"},
        **{"moving.gif": "3 pictures in one file", "print.jpg": "CMYK", "red.webp": "turned grey"},
        **{"deep.png": "16 bits", "shares.tif": "fractions", "turned.jpg": "EXIF"},
    }


def test_every_troublesome_file_is_named_and_the_rest_goes_on(photos):
    wanted = troubles(photos / "cat")
    (photos / "loose.png").write_bytes((photos / "dog/1.png").read_bytes())
    data, said = made(photos)
    for name, words in {**wanted, "loose.png": "in no folder of a class"}.items():
        assert any(name in line and words in line for line in said.splitlines()), (name, said)
    assert len(data.y_train) + len(data.y_test) == 20 + 1 + 6, "whole, and what could be read"


def test_a_picture_is_upright_and_of_16_bits_the_upper_are_taken(tmp_path):
    troubles(tmp_path)
    assert folders.read(tmp_path / "turned.jpg", 24)[0].size == (30, 40)
    assert np.unique(folders.read(tmp_path / "deep.png", 24)[0]).tolist() == [40_000 >> 8]


def test_a_picture_is_padded_with_the_grey_of_its_edge_or_cropped():
    wide = Image.new("L", (60, 20), 200)
    assert (folders.fitted(wide, 24, "pad") == 200).all()
    wide.paste(0, (0, 0, 15, 20))
    assert (folders.fitted(wide, 24, "crop") == 200).all()
    assert not (folders.fitted(wide, 24, "pad") == 200).all()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"name": "mnist"}, "is taken"),
        ({"name": "a/b"}, "give a name of letters"),
        ({"folder": "nowhere"}, "There is no folder"),
        ({"side": 4}, "8 to 512 pixels"),
        ({"fit": "stretch"}, "pad or crop"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(photos, change, words):
    with pytest.raises(UserError, match=words):
        datasets.from_folder(**{"folder": photos, "name": "photos", "side": 24, **change})


def test_a_set_that_came_from_elsewhere_is_kept(photos):
    (paths.DATA / "photos").mkdir(parents=True)
    (paths.DATA / "photos/mine.txt").write_text("the only copy", encoding="utf-8")
    with pytest.raises(UserError, match="move it away"):
        made(photos)
    assert (paths.DATA / "photos/mine.txt").exists()


def test_too_few_pictures_are_named(photos):
    for path in sorted((photos / "dog").iterdir())[2:]:
        path.unlink()
    with pytest.raises(UserError, match="dog: at least 4 to train on and 1 to test on"):
        made(photos)


def test_a_damaged_set_is_told_the_way_back(photos):
    data, _ = made(photos)
    (paths.DATA / "photos/meta.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="move .* away and `make data NAME=photos FROM=DIR`"):
        datasets.load("photos")
    (paths.DATA / "photos").rename(paths.DATA / "away")
    assert made(photos)[0].meta["sha256"] == data.meta["sha256"]


def test_more_classes_than_a_label_can_name_are_refused(tmp_path):
    frame = pd.DataFrame({"class": [f"{n:03}" for n in range(257) for _ in range(5)]})
    frame["part"], frame["pixels"] = [*["train"] * 4, "test"] * 257, frame.index.astype(str)
    with pytest.raises(UserError, match="257 classes: from 2 to 256"):
        folders._made(
            frame, np.zeros((5 * 257, 8, 8), np.uint8), tmp_path, "many", False, "pad", str
        )
