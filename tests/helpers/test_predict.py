"""A drawing made like the images of a data set."""

import json

import numpy as np
import pytest

from helpers import predict
from helpers.store.paths import ROOT, UserError

VECTORS = json.loads((ROOT / "tests/helpers/prepared.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_python_prepares_the_drawings_that_the_page_of_the_report_prepares_too(case):
    for rule, wanted in case["prepared"].items():
        for drawing in (np.array(case["drawing"], np.uint8), np.array(case["drawing"]) / 255):
            made = predict.prepare(drawing, rule)
            assert made.dtype == np.uint8
            # another order of summing may round the other way
            assert np.abs(made.astype(int) - wanted).max() <= 1


def test_a_picture_has_the_size_and_the_place_of_its_data_set():
    drawing = np.zeros((300, 200))
    drawing[30:190, 20:120] = 1
    for rule, (rows, columns, top, left) in {
        "mass": (20, 13, 5, 8),
        "box": (24, 15, 2, 6),
        "fill": (28, 18, 0, 5),
    }.items():
        made = predict.prepare(drawing, rule)
        there = np.argwhere(made)
        assert there.min(axis=0).tolist() == [top, left]
        assert (there.max(axis=0) - there.min(axis=0) + 1).tolist() == [rows, columns]
        assert made.max() == 255


@pytest.mark.parametrize("drawing, rule", [(np.ones((9, 9)), "middle"), (np.ones(9), "mass")])
def test_another_rule_or_shape_is_refused_in_one_line(drawing, rule):
    with pytest.raises(UserError, match="give one of mass, box, fill and an array"):
        predict.prepare(drawing, rule)
