"""The figures. Each function takes plain arrays or records and returns a stamped Matplotlib figure, 6.5 inches wide.

`label` is always the data set's label, or a record's `dataset`: it is stamped on the figure, and a stand-in is
announced across its top. Images are uint8 (n, height, width) or (n, height, width, 1). `update(path, function,
*inputs)` draws into a PNG file what is not there yet.
"""

from helpers.show.audit import balance, distances, doubts, pairs  # noqa: F401
from helpers.show.canvas import new_figure, stamp, style  # noqa: F401
from helpers.show.comparison import generalisation, reported_measured, transformations  # noqa: F401
from helpers.show.evaluation import confusion, embedding, recalls, reliabilities, reliability  # noqa: F401
from helpers.show.files import drawn, fingerprint, png, save, update  # noqa: F401
from helpers.show.pareto import cost  # noqa: F401
from helpers.show.pictures import (
    augmented,
    feature_maps,
    filters,
    gallery,
    gradcam,
    mistakes,
    samples,
)  # noqa: F401
from helpers.show.protocol import watched  # noqa: F401
from helpers.show.training import all_curves, curves, rate, trials  # noqa: F401
