"""A process of its own that makes something ready once and then measures it whenever it is asked.

So that start-up is not counted, that the two sides share no caches or thread pools, and that
several can start at the same moment.
"""

import contextlib
import multiprocessing
import os
import traceback

THREADS = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)


class Worker:
    """`prepare(*arguments)` runs in a fresh Python process and returns a function; each `measure`
    calls that function there.

    `threads`: how many the libraries may use, as the grid sets it; all by default. Use it in a
    `with` statement.
    """

    def __init__(self, prepare, *arguments, threads=None):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, prepare, arguments), daemon=True)
        with _environment({name: str(threads) for name in THREADS} if threads else {}):
            self.process.start()
        other.close()
        self.waited_for = False

    def measure(self):
        """One measurement: what the function returns."""
        return together(self)[0]

    def ready(self):
        """Wait until the function is there; RuntimeError with its traceback if `prepare` failed."""
        if not self.waited_for:
            self._answer()
            self.waited_for = True

    def _answer(self):
        try:
            failure, result = self.pipe.recv()
        except EOFError as error:
            raise RuntimeError(
                f"a measuring process ended with status {self.process.exitcode}"
            ) from error
        if failure:
            raise RuntimeError(failure)
        return result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the process."""
        self.pipe.close()
        self.process.join(10)
        self.process.kill()


def ready(*workers):
    """Wait for workers that were started side by side, so that none is still being made ready while
    another is measured."""
    for worker in workers:
        worker.ready()


def together(*workers):
    """Let several workers measure at the same time, started at the same moment; returns their
    results in order."""
    ready(*workers)
    for worker in workers:
        worker.pipe.send(True)
    return [worker._answer() for worker in workers]


@contextlib.contextmanager
def _environment(changes):
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({name: value} if value is not None else {})


def _serve(pipe, prepare, arguments):
    try:
        with (
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):  # a training tells its progress
            function = prepare(*arguments)
            pipe.send((None, None))
            while pipe.recv():
                pipe.send((None, function()))
    except EOFError:
        pass  # nobody asks any more
    except BaseException:
        pipe.send((traceback.format_exc(), None))
