"""The parts of `benchmarks/faults.py`: the search, what its storage brings, the faults, and the books."""
