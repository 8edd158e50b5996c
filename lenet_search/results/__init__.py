"""What came of a study: its best trials, their models, scripts, pictures and the test-set result."""
