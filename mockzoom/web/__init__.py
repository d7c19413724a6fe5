"""The Flask side of the mock: a control API for tests, demos and any other language."""
