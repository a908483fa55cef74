"""The table of faults says what the suite's account says, losses first of all."""

import json

from report import faults

ACCOUNT = {
    "date": "2026-01-02T03:04:05+00:00",
    "seconds": 600,
    "system": "Linux x86_64",
    "python": "3.11.7",
    "versions": {"keras": "3.15"},
    "faults": [
        {"fault": "`kill -9`", "tries": 3, "held": 3, "outcome": "nothing is lost", "skipped": []},
        {
            "fault": "Disk full",
            "tries": 0,
            "held": 0,
            "outcome": "",
            "skipped": ["a tmpfs cannot be mounted here"],
        },
        {"fault": "Power cut", "tries": 4, "held": 1, "outcome": "nothing is lost", "skipped": []},
    ],
}


def test_the_table_tells_outcomes_losses_and_what_was_not_tried(tmp_path):
    (tmp_path / "faults.json").write_text(json.dumps(ACCOUNT))
    table = faults.fault_table(tmp_path / "faults.json")
    assert [row[2] for row in table.rows] == [
        "nothing is lost",
        "not tried: a tmpfs cannot be mounted here",
        "LOST in 3 tries",
    ]
    assert "7 tries, 3 lost" in table.caption and "2026" in table.note


def test_without_an_account_the_report_says_how_to_get_one(tmp_path):
    assert "make test-all" in faults.fault_table(tmp_path / "none.json").markdown
