"""What a training ran on: versions of libraries, and the machine. `results` keeps both."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy", "numba", "scipy")


def versions():
    """Versions of what results depend on: a dict from a package that is installed to its text."""
    from helpers.store.backend import keras

    known = {"python": platform.python_version(), "backend": keras.backend.backend()}
    for package in (*PACKAGES, "keras-tuner"):
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue  # another back end's, or the other build of the same one
    return known


def cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def hardware():
    """Processor, cores this process may use, threads a network gets, GiB of memory, accelerator;
    "1" where TensorFlow was told to compute with oneDNN, None where it decides."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": cores(),
        "threads": int(os.environ.get("TF_NUM_INTRAOP_THREADS") or cores()),
        "memory_gib": round(memory, 1),
        "system": platform.system(),
        "accelerator": _accelerator(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
    }


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(x.split(":", 1)[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _accelerator():
    from helpers.store.backend import keras

    if keras.backend.backend() == "jax":
        import jax

        return next((d.device_kind for d in jax.devices() if d.platform != "cpu"), None)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return next((device.name for device in tf.config.list_physical_devices("GPU")), None)
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
