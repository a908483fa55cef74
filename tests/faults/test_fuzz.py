"""10,000 damaged inputs: each gives a clean error or valid data, in bounded memory and time."""

import json
import os
import subprocess
import sys

import pytest

from faults import fuzz
from helpers.store import paths

COUNT = 2500


@pytest.mark.fault(
    "Damaged IDX, npz, JSON and YAML inputs",
    "each gives one clear line or valid data, with at most 512 MiB more and in seconds",
)
@pytest.mark.parametrize("kind", fuzz.READERS)
def test_damaged_inputs_give_a_clean_error_or_valid_data(kind, record_property):
    done = subprocess.run(
        [sys.executable, "-m", "faults.fuzz", kind, str(COUNT), "2026"],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "PYTHONPATH": f"{paths.ROOT}{os.pathsep}{paths.ROOT / 'tests'}"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outcome = json.loads(done.stdout)
    assert (
        outcome["clean"] + outcome["valid"] == COUNT and min(outcome["clean"], outcome["valid"]) > 0
    ), f"both happen, or nothing was tested: {outcome}"
    record_property("tries", COUNT)
