"""The parts of `benchmarks/fuzz.py`: damage to examples, study files from a grammar, the kinds of input, the watch."""
