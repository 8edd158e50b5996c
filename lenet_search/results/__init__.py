"""The results of a study: its best trials, their models, training scripts and plots."""
