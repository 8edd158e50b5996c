"""A .keras file: measured on the test set, or used to classify images."""
