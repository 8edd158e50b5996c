"""A .keras file in hand: measured on the test set, tried on pictures."""
