"""The official path against a server on loopback: right, wrong and no bytes; and the network."""

import gzip
import hashlib
import io
import os
import struct
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import arrays as idx
from helpers.datasets import copies, downloads, official
from helpers.datasets.catalogue import SETS
from helpers.datasets.downloads import Unavailable
from helpers.store import files, paths
from helpers.store.paths import UserError


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """An empty data folder, no network but loopback, no proxies."""
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    monkeypatch.setenv("KERAS_REPORTS_ONLINE", "0")
    for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)


@pytest.fixture
def server():
    """A web server; .files {name: bytes, or a function of its request handler}; .asked: names."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.strip("/")
            self.server.asked.append(name)
            answer = self.server.files.get(name)
            if callable(answer):
                answer(self)
            elif answer is None:
                self.send_error(404)
            else:
                send(self, answer)

        do_HEAD = do_CONNECT = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.asked, server.address = {}, [], f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def send(handler, content, promised=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(promised or len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def redirect(handler, name):
    handler.send_response(302)
    handler.send_header("Location", f"/{name}")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def pack_idx(array):
    """A gzip-ed IDX file (http://yann.lecun.com/exdb/mnist): magic number, sizes, bytes."""
    header = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def digits(classes=10, first=0):
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (60, 28, 28), np.uint8),
        "y_train": (np.arange(60) % classes + first).astype(np.uint8),
        "x_test": rng.integers(0, 256, (30, 28, 28), np.uint8),
        "y_test": (np.arange(30) % classes + first).astype(np.uint8),
    }


def mnist_files(arrays):
    return {official.IDX_FILES[key]: pack_idx(array) for key, array in arrays.items()}


def served(server, files, **other):
    """Put files on the server; their {name: (address, bytes, sha256)}. other: sent instead."""
    server.files |= files | other
    return {
        name: (server.address + name, len(content), hashlib.sha256(content).hexdigest())
        for name, content in files.items()
    }


def fetch(name, urls):
    """The official source as `datasets.prepare` uses it."""
    return copies.make(name, lambda: official.read(name, SETS[name], print, urls), print)


def opened(name):
    return idx.open_folder(paths.DATA / name)


def test_downloaded_idx_files_give_the_same_arrays_and_the_same_hash_as_a_mirror(server):
    arrays = digits()
    meta = fetch("mnist", served(server, mnist_files(arrays)))
    for key, array in arrays.items():
        assert np.array_equal(opened("mnist")[key], array)
    assert meta["sha256"] == idx.sha256(arrays)
    assert (meta["kind"], meta["source"]) == (
        "partial",
        "official files",
    )  # 60 images are not the official set
    assert set(meta["files"]) == set(official.IDX_FILES.values())
    assert datasets.load("mnist", "real").meta == meta


def test_memory_that_a_mapped_array_held_is_given_back_and_the_array_read_again(tmp_path):
    size = 2**25
    for key in ("x_train", "y_train", "x_test", "y_test"):
        idx.save_npy(
            tmp_path / f"{key}.npy",
            (size,) if key == "x_train" else (1,),
            [bytes([7]) * (size if key == "x_train" else 1)],
        )
    array = idx.open_folder(tmp_path)["x_train"]
    idx.forget(np.ones(3))  # no map: nothing to give back
    assert array.sum(dtype="int64") == 7 * size
    held = _resident()
    idx.forget(array)
    if held is not None:
        assert held - _resident() > 0.9 * size
    assert array.sum(dtype="int64") == 7 * size


def _resident():
    """Bytes of memory that this process holds; None where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def test_size_checksum_and_address_are_told(server, capsys):
    urls = served(server, mnist_files(digits()))
    fetch("mnist", urls)
    told = capsys.readouterr().out
    for name, (url, size, checksum) in urls.items():
        assert name in told and url in told and f"{size:,} bytes" in told and checksum[:12] in told


def test_what_was_downloaded_is_not_downloaded_again(server):
    urls = served(server, mnist_files(digits()))
    fetch("mnist", urls)
    server.asked.clear()
    fetch("mnist", urls)
    assert server.asked == []


@pytest.mark.fault("Downloaded file altered on disk", "fetched again before use, and it alone")
def test_an_altered_download_is_fetched_again_before_use(server):
    urls = served(server, mnist_files(digits()))
    fetch("mnist", urls)
    kept = next((paths.DATA / "downloads" / "mnist").glob("*t10k-images*.gz"))
    kept.write_bytes(kept.read_bytes()[:-4] + b"oops")
    server.asked.clear()
    assert fetch("mnist", urls)["sha256"] == idx.sha256(digits())
    assert server.asked == ["t10k-images-idx3-ubyte.gz"]


@pytest.mark.fault(
    "Download cut off, sent away to an error page, with a wrong checksum, 404, 503",
    "retried where it helps, never used unverified; then the next source",
)
@pytest.mark.parametrize(
    "answer, text",
    [
        (b"<html>please log in</html>", "wrong checksum"),
        (lambda handler: handler.send_error(404), "404"),
        (lambda handler: handler.send_error(503), "cannot download"),
        (lambda handler: send(handler, b"only the start", promised=5000), "cannot download"),
        (lambda handler: redirect(handler, "login.html"), "wrong checksum"),
    ],
)
def test_a_bad_answer_is_never_used_and_the_next_source_is_asked(server, answer, text):
    server.files["login.html"] = b"<html>please log in</html>"
    urls = served(server, mnist_files(digits()), **{"train-images-idx3-ubyte.gz": answer})
    with pytest.raises(Unavailable, match=text):
        fetch("mnist", urls)
    assert [path.name for path in paths.DATA.iterdir()] == ["downloads"]
    kept = [path.name for path in paths.DATA.glob("downloads/mnist/*")]
    assert set(kept) <= {f"downloaded-{name}" for name in official.IDX_FILES.values()}
    assert "downloaded-train-images-idx3-ubyte.gz" not in kept


@pytest.mark.fault(
    "Download stalled", "retried where it helps, never used unverified; then the next source"
)
def test_a_stalled_server_is_given_up(server, monkeypatch):
    monkeypatch.setattr(downloads, "SILENCE", 0.2)
    released = threading.Event()

    def stall(handler):
        send(handler, b"only the start", promised=5000)
        released.wait(30)

    urls = served(server, mnist_files(digits()), **{"train-images-idx3-ubyte.gz": stall})
    try:
        with pytest.raises(Unavailable, match="cannot download"):
            fetch("mnist", urls)
    finally:
        released.set()


@pytest.mark.fault(
    "Download refused or cut off once, then fine", "asked again; the arrays are right"
)
@pytest.mark.parametrize(
    "stumble",
    [
        lambda handler: handler.send_error(503),
        lambda handler: send(handler, b"cut", promised=5000),
        lambda handler: send(handler, b"something else"),
    ],
)
def test_a_server_that_stumbles_once_is_asked_again(server, stumble):
    files = mnist_files(digits())
    urls = served(server, files)

    def once(handler):
        server.files["train-images-idx3-ubyte.gz"] = files["train-images-idx3-ubyte.gz"]
        stumble(handler)

    server.files["train-images-idx3-ubyte.gz"] = once
    assert fetch("mnist", urls)["sha256"] == idx.sha256(digits())


@pytest.mark.fault(
    "No download at all",
    "the next source: a stand-in, named as one; with DATA=real an error that says what to fetch",
)
def test_after_a_failed_download_auto_draws_a_stand_in_and_real_stops(server, monkeypatch):
    urls = served(server, {}) | {"gzip.zip": (server.address + "gzip.zip", 10, "0" * 64)}
    monkeypatch.setitem(SETS, "emnist_letters", replace(SETS["emnist_letters"], urls=lambda: urls))
    monkeypatch.setenv("KERAS_REPORTS_ONLINE", "1")
    with pytest.raises(
        UserError, match="no real images of emnist_letters .*404.*gzip.zip into .*downloads.emnist"
    ):
        datasets.prepare("emnist_letters", "real")
    monkeypatch.setattr("helpers.datasets.standins.draw", lambda name: digits(26))
    said = []
    assert datasets.prepare("emnist_letters", say=said.append)["kind"] == "stand-in"
    assert any("404" in line and "STAND-IN" in line for line in said)


def by_hand(name, files):
    folder = paths.DATA / "downloads" / name
    folder.mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)


def test_files_put_by_hand_are_checked_and_need_no_network(server):
    files = mnist_files(digits())
    by_hand("mnist", files)
    assert fetch("mnist", served(server, files))["sha256"] == idx.sha256(digits())
    assert server.asked == []


@pytest.fixture
def unpacked(monkeypatch):
    """The tiny files unpacked, with their checksums in the place of the official ones'."""
    packed = mnist_files(digits())
    content = {name: gzip.decompress(file) for name, file in packed.items()}
    files = official.IDX_FILES.values()
    sums = tuple(f"md5:{hashlib.md5(content[name]).hexdigest()}" for name in files)
    monkeypatch.setitem(official.UNPACKED, "mnist", sums)
    return content


@pytest.mark.parametrize(
    "written",
    [
        lambda name: name.removesuffix(".gz"),
        lambda name: name.removesuffix(".gz").replace("-idx", ".idx"),
        lambda name: name,  # a browser that unpacks and keeps the name
    ],
)
def test_unpacked_idx_files_are_taken_under_the_names_that_programs_give_them(
    server, unpacked, written
):
    by_hand("mnist", {written(name): content for name, content in unpacked.items()})
    meta = fetch("mnist", served(server, mnist_files(digits())))
    assert meta["sha256"] == idx.sha256(digits()) and server.asked == []


def test_a_packed_file_with_a_dot_in_its_name_is_taken_beside_unpacked_ones(server, unpacked):
    packed, one = mnist_files(digits()), "t10k-images-idx3-ubyte.gz"
    dotted = {"t10k-images.idx3-ubyte.gz": packed[one]}
    others = {name.removesuffix(".gz"): unpacked[name] for name in packed if name != one}
    by_hand("mnist", dotted | others)
    assert fetch("mnist", served(server, packed))["sha256"] == idx.sha256(digits())
    assert server.asked == []


def test_an_unpacked_file_of_another_set_is_refused_like_a_packed_one(server, unpacked):
    content = unpacked["train-images-idx3-ubyte.gz"]
    by_hand("mnist", {"train-images.idx3-ubyte": content[:-1] + b"!"})
    with pytest.raises(UserError, match="train-images.idx3-ubyte is not the official file"):
        fetch("mnist", served(server, mnist_files(digits())))


@pytest.mark.parametrize("name", ["mnist.pkl.gz", "train-images-idx3-ubyte.zip", "MNIST"])
def test_a_file_that_lies_there_and_is_not_read_is_named(server, capsys, name):
    by_hand("mnist", {name: b""})
    fetch("mnist", served(server, mnist_files(digits())))
    line = capsys.readouterr().out.splitlines()[1]
    assert f"not read in {paths.DATA / 'downloads/mnist'}: {name};" in line
    assert line.endswith(", ".join(official.IDX_FILES.values()))


@pytest.mark.parametrize("place", ["data", "data/downloads", "mirror"])
@pytest.mark.parametrize(
    "name",
    [
        "train-images-idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "t10k-labels.idx1-ubyte",
        "t10k-labels.idx1-ubyte.gz",
    ],
)
def test_official_files_in_another_place_are_named_with_the_right_one(
    tmp_path, monkeypatch, capsys, place, name
):
    files.save_bytes(tmp_path / place / name, b"")
    (tmp_path / "mirror").mkdir(exist_ok=True)
    monkeypatch.setitem(SETS, "mnist", replace(SETS["mnist"], substitute="", title="M"))
    with pytest.raises(UserError, match="no real images of mnist"):
        datasets.load("mnist", "real", tmp_path / "mirror")
    right = paths.DATA / "downloads/mnist"
    line = f"mnist: not read in {tmp_path / place}: {name}; such files are read in {right}\n"
    assert capsys.readouterr().out == line


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels.idx1-ubyte.gz", "a.png"])
@pytest.mark.parametrize("mode", ["auto", "real"])
def test_files_in_the_place_of_the_prepared_copy_stay_there_and_are_named(name, mode):
    files.save_bytes(paths.DATA / "mnist" / name, b"the only copy")
    for _ in range(2):  # the second time nothing was lost in a folder of damaged copies
        with pytest.raises(UserError, match=f"data/mnist is for the prepared copy.* {name}: move"):
            datasets.load("mnist", mode)
    assert (paths.DATA / "mnist" / name).read_bytes() == b"the only copy"


def test_the_checksums_of_unpacked_files_are_those_of_four_files_a_set():
    assert {len(sums) for sums in official.UNPACKED.values()} == {len(official.IDX_FILES)}
    assert all(len(digest) == 36 for sums in official.UNPACKED.values() for digest in sums)


def test_a_wrong_file_put_by_hand_is_named(server):
    files = mnist_files(digits())
    by_hand("mnist", files | {"t10k-labels-idx1-ubyte.gz": b"something else"})
    with pytest.raises(
        UserError, match="t10k-labels-idx1-ubyte.gz is not the official file"
    ) as caught:
        fetch("mnist", served(server, files))
    assert not isinstance(
        caught.value, Unavailable
    )  # an error of the user's, so no source is asked in its stead


def test_the_registered_checksums_guard_files_put_by_hand():
    by_hand("mnist", mnist_files(digits()))
    with pytest.raises(UserError, match="is not the official file"):
        datasets.load("mnist")


def test_missing_files_without_network_are_not_asked_for():
    by_hand("fashion_mnist", {"notes.txt": b"nothing of use"})
    with pytest.raises(UserError, match="no real images of fashion_mnist .*no network"):
        datasets.load("fashion_mnist", "real")


HEADER = struct.pack(">4I", 0x0803, 60, 28, 28)


@pytest.mark.parametrize(
    "content",
    [
        pack_idx(digits()["x_train"])[:-2000],
        pack_idx(digits()["x_train"])[:-3],
        b"",
        b"not gzip",
        gzip.compress(HEADER[:7]),
        gzip.compress(b"\x89PNG" + HEADER[4:]),
        gzip.compress(HEADER + bytes(59 * 784)),
        gzip.compress(HEADER + bytes(60 * 784 + 1)),
        gzip.compress(struct.pack(">4I", 0x0803, 60, 28, 29) + bytes(60 * 28 * 29)),
        gzip.compress(struct.pack(">4I", 0x0803, 2**32 - 1, 28, 28) + bytes(784)),
        pack_idx(np.zeros(60, np.uint8)),
    ],
    ids=[
        "cut",
        "checksum cut",
        "empty",
        "no gzip",
        "header cut",
        "no IDX",
        "an image short",
        "a byte over",
        "another shape",
        "more promised than possible",
        "labels",
    ],
)
def test_a_damaged_idx_file_is_one_clear_error_that_names_it(server, content):
    files = mnist_files(digits()) | {"train-images-idx3-ubyte.gz": content}
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\S*.gz is truncated or damaged"):
        fetch("mnist", served(server, files))
    assert not (paths.DATA / "mnist").exists()


def test_a_class_without_images_is_noticed(server):
    with pytest.raises(UserError, match="no train image of class 9"):
        fetch("mnist", served(server, mnist_files(digits(9))))


def emnist_archive(partition, arrays):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for key, array in arrays.items():
            kind = "images-idx3" if key[0] == "x" else "labels-idx1"
            archive.writestr(f"gzip/emnist-{partition}-{key[2:]}-{kind}-ubyte.gz", pack_idx(array))
    return {"gzip.zip": packed.getvalue()}


@pytest.mark.parametrize("partition", ["balanced", "bymerge"])
def test_emnist_images_are_turned_upright_and_labels_kept(server, partition):
    arrays = {"x_train": np.zeros((47, 28, 28), np.uint8), "y_train": np.arange(47, dtype=np.uint8)}
    arrays |= {"x_test": arrays["x_train"], "y_test": arrays["y_train"]}
    arrays["x_train"][:, 3, 5:25] = (
        255  # in the file a row near the top, in the world a column near the left
    )
    meta = fetch(f"emnist_{partition}", served(server, emnist_archive(partition, arrays)))
    assert (opened(f"emnist_{partition}")["x_train"][:, 5:25, 3] == 255).all()
    assert opened(f"emnist_{partition}")["y_test"].tolist() == list(range(47))
    assert [meta["class_names"][index] for index in (0, 10, 36, 46)] == ["0", "A", "a", "t"]


def test_emnist_letters_are_upright_and_counted_from_0_over_26_classes(server):
    upright = digits(26, first=1)
    transposed = {
        key: array.transpose(0, 2, 1) if key[0] == "x" else array for key, array in upright.items()
    }
    meta = fetch("emnist_letters", served(server, emnist_archive("letters", transposed)))
    assert np.array_equal(opened("emnist_letters")["x_test"], upright["x_test"])
    assert np.array_equal(opened("emnist_letters")["y_train"], upright["y_train"] - 1)
    assert (meta["classes"], meta["class_names"][0], meta["class_names"][25]) == (26, "A", "Z")


def test_the_three_emnist_partitions_share_one_download(server):
    urls = served(server, emnist_archive("letters", digits(26, first=1)))
    fetch("emnist_letters", urls)
    with pytest.raises(
        UserError, match="emnist-bymerge-train-images"
    ):  # looked for in the archive that is there
        fetch("emnist_bymerge", urls)
    assert server.asked == ["gzip.zip"]


def test_emnist_letters_labels_that_hold_a_0_are_refused(server):
    with pytest.raises(UserError, match="counts from 1"):
        fetch("emnist_letters", served(server, emnist_archive("letters", digits(26))))


def test_of_emnist_letters_only_the_first_records_are_read(server):
    arrays = digits(26, first=1)
    arrays["x_test"] = np.zeros((14_810, 28, 28), np.uint8)
    arrays["y_test"] = (np.arange(14_810) % 26 + 1).astype(np.uint8)
    fetch("emnist_letters", served(server, emnist_archive("letters", arrays)))
    read = opened("emnist_letters")
    assert len(read["x_test"]) == 14_800 and len(read["x_train"]) == 60
    assert np.array_equal(read["y_test"], arrays["y_test"][:14_800] - 1)


def k49_files():
    def npz(array):
        packed = io.BytesIO()
        np.savez_compressed(packed, array)
        return packed.getvalue()

    arrays = digits(49) | {
        "y_test": np.arange(49, dtype=np.uint8),
        "x_test": np.zeros((49, 28, 28), np.uint8),
    }
    return {file: npz(arrays[key]) for key, file in zip(idx.KEYS, official.K49_FILES)}


def test_kuzushiji49_is_read_from_its_four_npz_files(server):
    meta = fetch("kuzushiji49", served(server, k49_files()))
    assert (meta["classes"], meta["class_names"][0], meta["class_names"][48]) == (49, "あ", "ゝ")
    assert len(set(meta["class_names"])) == 49


def test_kuzushiji49_is_guarded_by_its_known_md5_sums():
    by_hand("kuzushiji49", k49_files())
    with pytest.raises(UserError, match="k49-train-imgs.npz is not the official file"):
        datasets.load("kuzushiji49")


def test_a_file_without_known_checksum_is_used_and_its_sum_told_and_recorded(server, capsys):
    files = k49_files()
    urls = {name: (url, None, None) for name, (url, _, _) in served(server, files).items()}
    meta = fetch("kuzushiji49", urls)
    seen = hashlib.sha256(files["k49-test-imgs.npz"]).hexdigest()
    assert meta["files"]["k49-test-imgs.npz"] == seen
    assert f"checksum not known; sha256 seen: {seen}" in capsys.readouterr().out


def png(value, side=128):
    packed = io.BytesIO()
    Image.fromarray(np.full((side, side), value, np.uint8)).save(packed, "PNG")
    return packed.getvalue()


def fingers_archive(**other):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in ("train", "test"):
            for count in range(6):
                for hand in "LR":
                    for folder in (
                        "",
                        "fingers/",
                    ):  # some copies of the archive hold everything twice
                        archive.writestr(
                            f"{folder}{part}/{part}_{count}{hand}.png",
                            png(count * 20 + (hand == "R")),
                        )
        for name, content in other.items():
            archive.writestr(f"train/{name}_0L.png", content)
    return packed.getvalue()


def test_the_fingers_archive_put_by_hand_gives_counts_and_hands():
    by_hand("fingers", {"archive.zip": fingers_archive()})
    data = datasets.load("fingers", "real")
    assert len(data.x_train) == len(data.x_test) == 12 and data.image_shape == (128, 128, 1)
    assert np.array_equal(data.x_test[:, 5, 5], data.y_test * 20 + data.hand_test)
    assert sorted(data.y_train * 2 + data.hand_train) == list(range(12))
    assert data.kind == "partial"


@pytest.mark.parametrize("place", ["", "fingers", "archive/data", "kaggle"])
def test_the_fingers_archive_may_be_unpacked_already(place):
    folder = paths.DATA / "downloads/fingers" / place
    with zipfile.ZipFile(io.BytesIO(fingers_archive())) as archive:
        names = [name for name in archive.namelist() if not name.startswith("fingers/")]
        archive.extractall(folder, names)
    assert len(datasets.load("fingers", "real").x_train) == 12


@pytest.mark.parametrize(
    "content",
    [png(1)[:-40], png(1)[:20], b"", png(1, side=64)],
    ids=["cut", "header cut", "empty", "64x64"],
)
def test_a_damaged_picture_in_the_fingers_archive_is_named(content):
    by_hand("fingers", {"fingers.zip": fingers_archive(bad=content)})
    with pytest.raises(UserError, match="fingers.zip, train/bad_0L.png is truncated or damaged"):
        datasets.load("fingers")


def test_an_archive_that_is_not_fingers_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../evil.png", png(1))
    by_hand("fingers", {"fingers.zip": packed.getvalue()})
    with pytest.raises(UserError, match="not the Fingers archive"):
        datasets.load("fingers")


def test_official_addresses_and_checksums_come_from_tensorflow_datasets():
    four = list(official.IDX_FILES.values())
    for builder, names in {"MNIST": four, "FashionMNIST": four, "EMNIST": ["gzip.zip"]}.items():
        files = downloads.registered(builder)
        assert set(files) == set(names)
        for url, size, checksum in files.values():
            assert url.startswith("http") and size > 1000 and len(checksum) == 64


def test_without_tensorflow_datasets_the_error_says_that_only_this_path_needs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets.image_classification", None)
    monkeypatch.setenv("KERAS_REPORTS_ONLINE", "1")
    with pytest.raises(
        UserError, match="tensorflow-datasets, which cannot be imported.*MIRROR=DIR"
    ):
        datasets.load("mnist", "real")


def test_the_data_step_imports_neither_keras_nor_tensorflow():
    heavy = {"keras", "tensorflow", "tensorflow_datasets", "pandas"}
    code = f"import sys, helpers.datasets; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_online_is_true_where_a_host_answers_and_is_asked_once(server, monkeypatch):
    monkeypatch.delenv("KERAS_REPORTS_ONLINE")
    monkeypatch.setattr(downloads, "HOSTS", (server.address + "some", "http://127.0.0.1:1/"))
    assert downloads.online() and downloads.online()
    assert server.asked == ["some"]  # a 404 is an answer too


def test_online_is_false_where_nothing_answers(monkeypatch):
    monkeypatch.delenv("KERAS_REPORTS_ONLINE")
    monkeypatch.setattr(downloads, "HOSTS", ("http://127.0.0.1:1/", "http://127.0.0.1:2/"))
    assert not downloads.online()


def test_online_asks_through_the_proxy_and_believes_its_refusal(server, monkeypatch):
    monkeypatch.delenv("KERAS_REPORTS_ONLINE")
    monkeypatch.setenv("https_proxy", server.address)
    monkeypatch.setattr(downloads, "HOSTS", ("https://data.invalid/file",))
    assert not downloads.online()
    assert server.asked == ["data.invalid:443"]


@pytest.mark.parametrize("known", ["0", "1"])
def test_online_takes_the_parent_process_at_its_word(monkeypatch, known):
    monkeypatch.setenv("KERAS_REPORTS_ONLINE", known)
    monkeypatch.setattr(downloads, "HOSTS", ())
    assert downloads.online() == (known == "1")
