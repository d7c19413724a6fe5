"""What a run has come to, told in six ways; each takes a `Report` and gives text."""
