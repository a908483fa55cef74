"""Keras, imported without the messages of the C++ libraries beneath it, which no setting silences.

Import it from here, `from helpers.store.backend import keras`, wherever it may be needed first.
"""

import gc
import logging
import os
import platform
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if platform.machine() in ("x86_64", "AMD64"):
    # TensorFlow's default on newer processors; elsewhere a CNN takes up to four times as long
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ["KERAS_HOME"] = os.devnull  # a user's own keras.json must not change a result
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # no warnings about retracing


def _import_keras():
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        gc.disable()  # a fifth of the time went into looking for garbage among half a million
        try:
            import keras

            keras.backend.backend()
            if "tensorflow" in sys.modules:  # in a notebook it sets a level of its own
                sys.modules["tensorflow"].get_logger().setLevel(logging.ERROR)
        except BaseException:
            messages.seek(0)
            os.write(terminal, messages.read())  # an import that fails must say all it can
            raise
        finally:
            gc.enable()
            os.dup2(terminal, 2)
            os.close(terminal)
    gc.freeze()  # objects that stay for good
    return keras


keras = _import_keras()
