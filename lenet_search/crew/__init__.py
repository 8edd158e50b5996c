"""Who trains: the places of a machine, and the signals that end a run."""
