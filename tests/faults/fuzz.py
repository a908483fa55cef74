"""Damaged inputs for the readers: `python -m faults.fuzz KIND COUNT SEED` in a process with bounded
memory; prints {"clean", "valid", "seconds", "memory_mib"}.

Each input must give valid data, or a UserError of one line (for JSON: the loader's None), within a
few seconds. Anything else ends the process with the input's number and the traceback; the same seed
and number give the same input.
"""

import gzip
import io
import json
import resource
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from helpers import results, runs
from helpers.datasets import arrays as idx
from helpers.datasets import copies, mirrors
from helpers.store import files, paths
from helpers.store.paths import UserError

MEMORY = 512 << 20  # bytes that reading may add to what the process has after its imports
SECONDS = 10  # for one input
IMAGES = np.arange(20 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(20, 28, 28)
LABELS = (np.arange(20) % 10).astype(np.uint8)


def mutated(content, rng):
    """One to four of: cut off, flip bits, overwrite with a huge or zero length, splice in a piece,
    repeat a piece, delete a piece."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        place, size = int(rng.integers(len(content) + 1)), int(rng.integers(1, 65))
        kind = rng.integers(7)
        if kind == 0:
            del content[place:]
        elif kind == 1:
            for spot in rng.integers(0, max(1, len(content)), int(rng.integers(1, 9))):
                if spot < len(content):
                    content[spot] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            huge = [
                b"\xff\xff\xff\xff",
                b"\x7f\xff\xff\xff",
                b"\0\0\0\0",
                b"\xff" * 8,
                b"99999999999",
                b"-1",
                b"1e999",
            ][rng.integers(7)]
            content[place : place + len(huge)] = huge
        elif kind == 3:
            content[place:place] = rng.bytes(size)
        elif kind == 4:
            content[place:place] = content[place : place + size] * int(rng.integers(1, 200))
        elif kind == 5:
            del content[place : place + size]
        else:
            start = int(rng.integers(len(content) + 1))
            content[place : place + size] = content[start : start + size]
    return bytes(content)


def gzip_idx(array, rng):
    """An IDX file damaged before it is packed, after it, or both."""
    content = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()
    where = rng.integers(3)
    packed = gzip.compress(mutated(content, rng) if where else content, mtime=0)
    return packed if where == 1 else mutated(packed, rng)


def read_idx(rng, folder):
    images = bool(rng.integers(2))
    packed = gzip_idx(IMAGES if images else LABELS, rng)
    with idx.readable("file.gz"):
        array = idx.read_idx(packed, images)
    assert array.dtype == np.uint8 and array.shape[1:] == ((28, 28) if images else ())


def read_npz(rng, folder):
    """A mirror's archive without a checksum, as one of one's own may be; half of them with a .npy
    member damaged before it is packed."""
    arrays, buffer = (
        {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:9], "y_test": LABELS[:9]},
        io.BytesIO(),
    )
    import zipfile

    inside = bool(rng.integers(2))
    with zipfile.ZipFile(
        buffer, "w", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED][rng.integers(2)]
    ) as archive:
        for key, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            content = member.getvalue()
            archive.writestr(
                f"{key}.npy",
                mutated(content[: 130 + int(rng.integers(200))], rng) + content[330:]
                if inside and key == "x_train"
                else content,
            )
    (folder / "mine.npz").write_bytes(
        buffer.getvalue() if inside else mutated(buffer.getvalue(), rng)
    )
    (folder / "mine.json").write_text(
        json.dumps({"name": "mine", "class_names": [str(n) for n in range(10)]})
    )
    arrays, told = mirrors.read("mine", folder, lambda line: None)
    found = copies._checked("mine", told, arrays)
    assert found["train"] > 0 and found["classes"] == 10


RECORD = {
    **dict.fromkeys(results.FIELDS),
    "run": "mnist-mlp",
    "dataset": {"kind": "partial", "sha256": "0"},
    "fingerprint": "0",
    "parameters": {"profile": "smoke"},
    "seeds": [{"seed": 0, "test_accuracy": 0.5, "history": {"loss": [1.0, 0.5]}}],
    "figures": [{"path": "a.png", "caption": "é かな"}],
    "finished": "2026-01-01",
}
MIRRORED = {
    "name": "mine",
    "title": "My shapes",
    "class_names": [str(number) for number in range(10)],
    "complete": True,
    "train": 20,
    "image_shape": [28, 28],
}


def read_json(rng, folder):
    """A record or its manifest, a provenance, a mirror's record, a list of captions."""
    kind = rng.integers(4)
    if kind == 0:
        path = paths.results("smoke") / "mnist-mlp.json"
        files.save_all({path: files.as_json(RECORD)}, manifest=path.with_suffix(".sha256"))
        path = path.with_suffix([".json", ".sha256"][rng.integers(2)])
        path.write_bytes(mutated(path.read_bytes(), rng))
        found = results.load("smoke", "mnist-mlp")
        assert found is None or found == RECORD, "altered and not noticed"
    elif kind == 1:
        meta = {**dict.fromkeys(copies.RECORDED), "name": "mnist", "class_names": ["a", "b"]}
        path = folder / "meta.json"
        files.save_all({path: files.as_json(meta)}, manifest=folder / copies.MANIFEST)
        path.write_bytes(mutated(path.read_bytes(), rng))
        found = copies.meta(folder)
        assert found is None or found == meta, "altered and not noticed"
    elif kind == 2:
        (folder / "mine.json").write_bytes(mutated(files.as_json(MIRRORED), rng))
        np.savez(folder / "mine.npz", x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS)
        arrays, told = mirrors.read("mine", folder, lambda line: None)
        copies._checked("mine", told, arrays)
    else:
        index = paths.figures("smoke", "mnist-mlp") / "index.json"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_bytes(mutated(b'{"curves": "Curves.", "confusion": "A matrix."}', rng))
        for entry in results.figures({"parameters": {"profile": "smoke"}, "run": "mnist-mlp"}):
            assert set(entry) == {"path", "caption"}
    return kind in (0, 1, 3)


TABLE = """\
profiles:
  smoke: {epochs: 1, seeds: 1, train_images: 400}
  quick: {epochs: 3}
runs:
  mnist-mlp:
    notebook: 01_mlp_baseline
    report: mnist-2019
    about: Dense network with dropout.
    parameters: {dataset: mnist, network: mnist_mlp, optimizer: rmsprop, batch_size: 128}
    cores: 2
    quick: {epochs: 8}
    reported: {train_accuracy: 0.99884, epochs: 20}
  mnist-first: &first
    notebook: 02_simple_cnn
    parameters: {dataset: mnist, network: mnist_first}
  again: *first
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 8)}]\n" for a, b in zip("abcdefghijkl", "bcdefghijklm")
)
TABLES = [
    TABLE,
    TABLE.replace("rmsprop", "*m").replace("profiles:", BOMB + "profiles:"),
    TABLE.replace("epochs: 8", "epochs: &e [*e]"),
    TABLE.replace("&first", "&first\n    about: *first"),
]


def read_yaml(rng, folder):
    paths.RUNS.write_bytes(
        mutated(TABLES[0 if rng.integers(5) else rng.integers(len(TABLES))].encode(), rng)
    )
    runs.table.cache_clear()
    fault = None
    for run in runs.select():
        for profile in runs.profiles():
            try:
                values = runs.parameters(run, profile)
                assert set(values) == set(runs.notebook_parameters(runs.entry(run)["notebook"]))
                runs.fingerprint(run, values, "0")
            except UserError as error:
                fault = error
    if fault:
        raise fault


READERS = {"IDX": read_idx, "npz": read_npz, "JSON": read_json, "YAML": read_yaml}


def main(kind, count, seed):
    """Feed `count` damaged inputs of a kind to its reader."""
    outcome, slowest = {"clean": 0, "valid": 0}, 0.0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open("/proc/self/statm", encoding="ascii") as statm:
        resource.setrlimit(
            resource.RLIMIT_AS,
            (
                int(statm.read().split()[0]) * resource.getpagesize() + MEMORY,
                resource.RLIM_INFINITY,
            ),
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths.OUT, paths.DATA, paths.RUNS = (
            folder / "out",
            folder / "data",
            folder / "runs.yaml" if kind == "YAML" else paths.RUNS,
        )
        for number in range(count):
            started = time.monotonic()
            try:
                READERS[kind](np.random.default_rng([seed, number]), folder)
                outcome["valid"] += 1
            except UserError as error:
                assert "\n" not in str(error) and len(str(error)) < 40_000, (
                    f"input {number}: {str(error)[:200]!r}"
                )
                outcome["clean"] += 1
            except BaseException:
                print(f"{kind}, input {number} of seed {seed}:", file=sys.stderr)
                raise
            slowest = max(slowest, time.monotonic() - started)
    assert slowest < SECONDS, f"one input took {slowest:.0f} s"
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used) / 1024
    print(json.dumps({**outcome, "slowest": round(slowest, 2), "memory_mib": round(memory)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
