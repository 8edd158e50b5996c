"""The simulations of docs/statistics.md, for `simulate.py`: each file has one, and a function that makes its table."""
