"""A crew trains runs: workers on places, their messages, signals, and what becomes of runs whose workers die."""

FREEZE_EVERY = 60.0  # seconds between copies of a run's state, where nobody says otherwise
