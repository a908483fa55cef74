"""The page of faults says what the suite's account says, losses first of all."""

from faults.ledger import page


def test_the_page_tells_losses_first_outcomes_and_what_was_not_tried():
    told = {"date": "2026-01-02T03:04:05+00:00", "seconds": 600, "system": "Linux x86_64"}
    kept = {"tries": 3, "held": 3, "outcome": "nothing is lost", "skipped": []}
    text = page(
        {
            **told,
            "python": "3.11.7",
            "versions": {"keras": "3.15"},
            "faults": [
                {"fault": "`kill -9`", **kept},
                {"fault": "Disk full", **kept, "tries": 0, "held": 0, "skipped": ["no tmpfs"]},
                {"fault": "Power cut", **kept, "tries": 4, "held": 1},
            ],
        }
    )
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows == [
        "| Power cut | 4 | **LOST in 3 tries** |",
        "| `kill -9` | 3 | nothing is lost |",
        "| Disk full | 0 | not tried: no tmpfs |",
    ]
    assert "7 tries, 3 lost" in text and "2026-01-02, 10 minutes" in text
