"""The kernel of the report is a fork of the process that writes it, where that is sound."""

import os
import subprocess
import sys

import nbformat
import pytest

from helpers.store import paths

CODE = """
import sys, threading
from report import pages
if sys.argv[2] == "busy":  # another thread: its locks would never be let go in a fork
    threading.Thread(target=threading.Event().wait, daemon=True).start()
for place in range(2):
    if place:  # what cannot be forked any more takes a kernel of its own
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    done = pages.execute(sys.argv[1], {})
    print(done.cells[-1].outputs[0].text.strip())
"""


@pytest.mark.parametrize("how", ["alone", "busy"])
def test_a_kernel_is_forked_only_from_one_thread(tmp_path, how):
    cell = "import sys\nprint('report.pages' in sys.modules)"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)]), tmp_path / "n"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(paths.ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CODE, tmp_path / "n", how],
        env=environment,
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split()
    assert first == str(how == "alone" and sys.platform == "linux") and second == "False"
