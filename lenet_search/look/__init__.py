"""How results look: plot theme, HTML page, confidence intervals, and progress in a terminal."""
