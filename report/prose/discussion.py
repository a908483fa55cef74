"""What each course report claimed, what of it holds here and what does not: words that follow from records and tested claims, and change with them."""

from statistics import mean

from helpers import results, runs
from helpers.show.tables import share
from report import overview
from report.prose import protocol

CLAIMED = {
    "mnist-2019": "ranks six networks by the test accuracy of one training each, and ends with the one that combines all means of regularisation",
    "fashion-2021": "claims that a CNN does better than a dense network, and that more or wider dense layers behind its convolutions bring no significant change",
    "emnist-2021": "gives three networks, each better than the one before",
    "k49": "claims that the dense network which its search found does not overfit",
    "fingers": "claims that augmentation buys generalisation, and takes a high accuracy on plain test images for a sign of a good network",
}
HEADS = (("holds", "What holds"), ("fails", "What does not"), ("open", "What stays open"))
SAME = (
    ("fashion-cnn-1x100", "fashion-cnn-2x50"),
    ("fashion-cnn-1x100", "fashion-cnn-3x75"),
    ("fashion-cnn-1x100", "fashion-cnn-1x87"),
    ("fashion-cnn-1x200", "fashion-cnn-1x100"),
)  # pairs that a report calls equal
GAP = 0.01  # accuracies further apart than this, on two parts of the data, count as overfitting
CLEAR = 0.1  # what augmentation has to bring on transformed images
NEAR = 0.005  # the nearest neighbour is as good as a network if it comes this close


def text(profile, records, found, experiments):
    """The discussion as Markdown, a paragraph a course report. `found`: the claims as `claims.judge` returns them; `experiments`: records beside those of the reports."""
    told = (
        []
        if profile == "full"
        else [
            "The runs of this edition are short. Read what follows as an example of how the reports are judged, and not as a verdict on them."
        ]
    )
    return "\n\n".join(
        [*told, *(paragraph(report, records, found, experiments) for report in CLAIMED)]
    )


def paragraph(report, records, found, experiments):
    """One report: what it claims, what of it holds, what does not, what stays open, and which runs have no record."""
    mine = overview.of_report(records, report)
    missing = [
        run for run in runs.select() if runs.entry(run)["report"] == report and run not in mine
    ]
    told = f"**`{report}`** {CLAIMED[report]}."
    if any(record["dataset"]["kind"] == "stand-in" for record in mine.values()):
        return f"{told} This edition drew its own images in place of the real ones, which say nothing about that."
    said = statements(report, mine, found, experiments)
    lines = []
    for outcome, head in HEADS:
        parts = [words for verdict, words in said if verdict == outcome]
        lines += [f"- *{head}:* {'; '.join(parts)}."] if parts else []
    lines += [f"- *Not measured in this edition:* {_names(missing)}."] if missing else []
    return "\n".join([told, "", *lines])


def statements(report, records, found, experiments):
    """A list of (outcome, words) on one report: outcome is "holds", "fails" or "open". `records`: those of the report; `experiments`: those of our own."""
    beside = {
        run: record for run, record in experiments.items() if runs.entry(run)["beside"] in records
    }
    special = {
        "mnist-2019": lambda: [*_pairs_of_figures(report, experiments), *_watched(experiments)],
        "fashion-2021": lambda: _averaged(records),
        "k49": lambda: _overfits(records),
        "fingers": lambda: [*_augmentation(records), *_neighbour(records)],
    }
    return [
        *_orders({**records, **beside}, found),
        *_accuracies(records),
        *special.get(report, list)(),
    ]


def _orders(records, found):
    # Each tested claim of the report, against the order of the reported accuracies where there are any.
    for claim in found:
        run_a, run_b = claim["run_a"], claim["run_b"]
        if run_a not in records or run_b not in records:
            continue
        reported = [records[run]["reported"].get("test_accuracy") for run in (run_a, run_b)]
        swap = None not in reported and reported[0] < reported[1]
        sign = -1 if swap else 1
        better, worse = (run_b, run_a) if swap else (run_a, run_b)
        low, high = sorted((sign * claim["low"], sign * claim["high"]))
        gap = (
            f"{100 * sign * claim['difference']:+.2f} points, {100 * low:+.2f} to {100 * high:+.2f}"
        )
        told = "" if None in reported else f", reported {100 * abs(reported[0] - reported[1]):+.2f}"
        decided = claim["verdict"] != "not decided"
        if (run_a, run_b) in SAME:
            most = 100 * max(abs(low), abs(high))
            yield (
                ("fails", f"that `{run_b}` does as well as `{run_a}` (the latter {gap})")
                if decided
                else (
                    "open",
                    f"whether `{run_b}` does as well as `{run_a}` (the latter {gap}; the corrected test does not decide)",
                )
                if low > 0 or high < 0
                else (
                    "holds",
                    f"no difference is found between `{run_a}` and `{run_b}`, though one of up to {most:.2f} points may be hidden",
                )
            )
        elif not decided:
            yield "open", f"whether `{better}` does better than `{worse}` ({gap}{told})"
        else:
            right = (claim["verdict"] == "holds") != swap
            yield (
                ("holds", f"`{better}` does better than `{worse}` ({gap}{told})")
                if right
                else ("fails", f"that `{better}` does better than `{worse}` ({gap}{told})")
            )


def _accuracies(records):
    judged = {
        run: overview.verdict(record)
        for run, record in records.items()
        if "test_accuracy" in record["reported"]
    }
    if same := [run for run, verdict in judged.items() if verdict == "within"]:
        yield (
            "holds",
            f"the test accuracy of {_names(same)}, within what other test images and other seeds may give",
        )
    for verdict, word in (("above", "lower"), ("below", "higher")):
        for run in (run for run in judged if judged[run] == verdict):
            yield (
                "fails",
                (
                    f"the test accuracy of `{run}`, {100 * records[run]['reported']['test_accuracy']:.2f} %, {word} than ours, {share(records[run], 'test_accuracy')} "
                    f"({_reason(records[run])})"
                ),
            )
    for reason in dict.fromkeys(
        verdict for verdict in judged.values() if verdict not in ("within", "above", "below")
    ):
        yield (
            "open",
            f"the test accuracy of {_names([run for run in judged if judged[run] == reason])} ({reason})",
        )


def _reason(record):
    found = protocol.explained(record)
    side, far = "below" if found["gap"] < 0 else "above", f"{100 * abs(found['gap']):.2f} points"
    told = (
        f"its training stopped after {found['epoch']} epochs and ours after {results.mean_std(record, 'epochs')[0]:.3g}: at that epoch ours were {far} {side} their end on validation images"
        if found["epoch"]
        else f"from one epoch of the second half to another, our accuracy on validation images lies up to {far} {side} that of the end"
    )
    much = (
        "all"
        if found["share"] >= 1
        else "most"
        if found["share"] >= 0.5
        else "a part"
        if found["share"] >= 0.1
        else "none"
    )
    return f"{told}, which can account for {much} of the difference"


def _pairs_of_figures(report, experiments):
    # Training accuracy and loss that arithmetic alone keeps from belonging together.
    slips = [
        record["reported"]["train_loss"]
        for record in experiments.values()
        if results.comparable(record) and protocol.slipped(record)
    ]
    for run in runs.select():
        reported = (
            runs.entry(run).get("reported", {}) if runs.entry(run)["report"] == report else {}
        )
        if "train_loss" in reported and reported["train_loss"] < protocol.least_loss(
            reported["train_accuracy"]
        ):
            why = (
                "; a decimal point in the wrong place would explain it"
                if reported["train_loss"] in slips
                else ""
            )
            yield (
                "fails",
                f"the training loss of `{run}`, too small for its training accuracy (@sec-protocol{why})",
            )


def _watched(experiments):
    placed = {run: protocol.standing(record) for run, record in experiments.items()}
    words = {
        "within": (
            "holds",
            "the reported accuracy as one draw from the later epochs, where a network is trained as the report did ({})",
        ),
        "below": (
            "fails",
            "looked at more closely, the reported accuracy, which every later epoch exceeds where a network is trained as the report did ({})",
        ),
        "above": (
            "fails",
            "looked at more closely, the reported accuracy, which no later epoch reaches where a network is trained as the report did ({})",
        ),
    }
    for standing, (outcome, sentence) in words.items():
        if chosen := [run for run in placed if placed[run] == standing]:
            yield outcome, sentence.format(_names(chosen))
    flattered = [
        protocol.chosen(record)["optimism"] for run, record in experiments.items() if placed[run]
    ]
    if flattered:
        worst = 100 * max(flattered)
        slight = max(flattered) < protocol.SLIGHT
        yield (
            (
                "holds",
                f"validation on test images, as far as it goes: choosing the best epoch by half of them flatters by {worst:.2f} points at most",
            )
            if slight
            else (
                "fails",
                f"validation on test images: choosing the best epoch by half of them flatters by up to {worst:.2f} points",
            )
        )


def _averaged(records):
    for run, record in records.items():
        kind = protocol.kind(record, "accuracy") if results.comparable(record) else None
        if kind:
            yield (
                ("holds", f"the training accuracy of `{run}`, as an average taken while it learns")
                if kind in ("averaged", "either")
                else (
                    "fails",
                    f"the training accuracy of `{run}`, which is not the average that ours gives",
                )
            )


def _overfits(records):
    if not (record := records.get("k49-tuned")):
        return
    train, validation, test = (
        results.mean_std(record, f"{part}_accuracy")[0] for part in ("train", "validation", "test")
    )
    figures = f"{100 * train:.2f} % of the training images are named correctly here, {100 * validation:.2f} % of the validation and {100 * test:.2f} % of the test images"
    yield (
        ("fails", f"that `k49-tuned` does not overfit: {figures}")
        if max(train - validation, validation - test) > GAP
        else ("holds", f"`k49-tuned` does not overfit: {figures}")
    )
    reported = record["reported"]
    if reported["validation_accuracy"] - reported["test_accuracy"] > GAP:
        yield (
            "fails",
            (
                f"that a validation part shows it: the report's own figures fall from {100 * reported['validation_accuracy']:.2f} % on validation to "
                f"{100 * reported['test_accuracy']:.2f} % on test images"
            ),
        )


def _augmentation(records):
    for network in ("carlosnet", "ivannet"):
        pair = [records.get(f"fingers-{network}-{how}") for how in ("augmented", "plain")]
        if None in pair:
            continue
        withit, without = (
            mean(seed["transformed"]["test"] for seed in record["seeds"]) for record in pair
        )
        figures = f"{100 * withit:.1f} % of transformed test images with it, {100 * without:.1f} % without, {100 * pair[0]['extra']['chance']:.1f} % by guessing"
        yield (
            ("holds", f"augmentation buys `{network}` generalisation ({figures})")
            if withit - without > CLEAR
            else ("fails", f"that augmentation buys `{network}` generalisation ({figures})")
            if without >= withit
            else ("open", f"what augmentation buys `{network}` ({figures})")
        )


def _neighbour(records):
    for run, record in records.items():
        neighbour, accuracy = (
            record["extra"]["neighbour"]["plain"],
            results.mean_std(record, "test_accuracy")[0],
        )
        if run.endswith("-plain"):
            yield (
                (
                    "fails",
                    f"that the plain test accuracy of `{run}` ({100 * accuracy:.2f} %) means much: the nearest training image names {100 * neighbour:.2f} % correctly",
                )
                if neighbour >= accuracy - NEAR
                else (
                    "holds",
                    f"`{run}` beats the nearest training image on plain test images ({100 * accuracy:.2f} % against {100 * neighbour:.2f} %)",
                )
            )


def _names(names):
    return _and([f"`{run}`" for run in names])


def _and(words):
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
