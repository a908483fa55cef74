"""Figures as files: written once, with a fingerprint inside that tells whether they would come out the same again."""

import ast
import hashlib
import io
import sys
from functools import cache
from pathlib import Path

import numpy as np

from helpers.runs import tree
from helpers.store import names_as_before as json  # until figures have another key
from helpers.store.files import png_chunks, save_bytes

KEY = b"Fingerprint"
DPI = 160


def png(fig, fingerprint=None):
    """A figure as PNG bytes, always the same for the same figure: no date, no software name. `fingerprint` goes into a
    text chunk.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image, PngImagePlugin

    fig.set_dpi(DPI)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    image = Image.fromarray(pixels)
    # One byte a pixel makes files of a third of the size, in the PDF too, and the report carries every figure three
    # times: grey figures as they are, others in 256 colours of their own.
    if (pixels == pixels[:, :, :1]).all():
        image = image.convert("L")
    else:
        image = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    text = PngImagePlugin.PngInfo()
    if fingerprint:
        text.add_text(KEY.decode(), fingerprint)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", dpi=(DPI, DPI), pnginfo=text, optimize=True)
    return buffer.getvalue()


def save(fig, path, fingerprint=None):
    """Write a figure as PNG at 160 dpi under a temporary name, then rename. Raises UserError where the folder cannot
    be written.
    """
    save_bytes(path, png(fig, fingerprint))


def drawn(path):
    """The fingerprint inside a PNG file; None where there is no file, no fingerprint, or the file is damaged. Needs no
    Matplotlib.
    """
    try:
        content = Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        texts = [data for kind, data in png_chunks(content) if kind == b"tEXt"]
    except ValueError:
        return None
    return next(
        (text[len(KEY) + 1 :].decode("latin-1") for text in texts if text.startswith(KEY + b"\0")),
        None,
    )


def update(path, function, *inputs, **options):
    """Draw `function(*inputs, **options)` into `path` unless the file there shows just that already. Returns whether
    it was drawn.
    """
    key = fingerprint(function, *inputs, options)
    if drawn(path) == key:
        return False
    save(function(*inputs, **options), path, key)
    return True


def fingerprint(function, *inputs):
    """Hexadecimal SHA-256 over a figure function and its inputs: arrays, numbers, text, and lists and dicts of them.

    Of the function, its syntax tree counts without comments and docstrings, with those of the other functions and
    constants of the plots modules that it uses.
    """
    digest = hashlib.sha256(_code(function.__module__, function.__name__) + _code(__name__, "png"))
    for value in inputs:
        _feed(digest, value)
    return digest.hexdigest()


@cache
def _code(module, name):
    wanted, found = [(module, name)], {}
    while wanted:
        module, name = wanted.pop()
        definitions, imports = _definitions(module)
        if name in imports:
            wanted.append(imports[name])
        elif name in definitions and (module, name) not in found:
            node = definitions[name]
            found[module, name] = tree(node)
            wanted += [(module, n.id) for n in ast.walk(node) if isinstance(n, ast.Name)]
    return json.dumps(sorted(map(str, found.items()))).encode()


@cache
def _definitions(module):
    # Names that a module defines at its top, and those it takes from the plots modules.
    source = Path(sys.modules[module].__file__)
    definitions, imports = {}, {}
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign):
            definitions.update(
                {
                    name.id: node
                    for target in node.targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                }
            )
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers.show"):
            imports.update(
                {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
            )
    return definitions, imports


def _feed(digest, value):
    if isinstance(value, np.ndarray) and value.dtype != object:
        digest.update(f"array {value.dtype.str} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, dict):
        digest.update(f"dict {len(value)} ".encode())
        for key in sorted(value, key=str):
            _feed(digest, str(key))
            _feed(digest, value[key])
    elif isinstance(value, (list, tuple)):
        digest.update(f"list {len(value)} ".encode())
        for item in value:
            _feed(digest, item)
    else:
        text = json.dumps(value.item() if isinstance(value, np.generic) else value)
        digest.update(f"value {len(text)} {text}".encode())
