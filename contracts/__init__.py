"""What receivers promise, as pytest files, one promise a test.

This file makes the folder a package in the wheel, so that `pytest --pyargs` finds it.
"""
