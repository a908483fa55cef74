"""Keras, imported without the start-up messages of the C++ libraries beneath it, which no setting silences.

Import it from here, `from helpers.store.backend import keras`, in whatever module may be the first to need it.
"""

import logging
import os
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
logging.getLogger("tensorflow").setLevel(
    logging.ERROR
)  # its warnings about retracing concern nobody here


def _import_keras():
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            import keras

            keras.backend.backend()
        except BaseException:
            messages.seek(0)
            os.write(terminal, messages.read())  # an import that fails must say all it can
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
    return keras


keras = _import_keras()
