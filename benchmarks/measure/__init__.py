"""The parts of `benchmarks/engine.py`; `measuring` is what runs in its workers."""
