"""A study's journal, followed from outside."""

import json

from measure.journal import Journal, Seen


def test_a_journal_is_read_as_it_grows_even_in_the_middle_of_a_line(tmp_path):
    path = tmp_path / "study.journal"
    journal = Journal(path)
    journal.look(0.5)
    entries = [
        {"op_code": 7, "trial_id": 3, "step": 1, "intermediate_value": 0.5},
        {"op_code": 7, "trial_id": 3, "step": 2, "intermediate_value": 0.6},
        *({"op_code": 6, "trial_id": 3, "state": state, "values": [0.6]} for state in (1, 0)),
    ]
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    cut = text.index("\n") + 20
    for moment, part in ((1.0, text[:cut]), (2.0, text[cut:])):
        with path.open("a") as file:
            file.write(part)
        journal.look(moment)
    assert journal.reports == [1.0, 2.0]
    assert journal.complete == 1
    assert journal.seen[-1] == Seen(2.0, 3, 0.6, complete=True)
