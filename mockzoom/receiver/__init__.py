"""The reference receiver: the smallest app that keeps the whole contract.

It imports nothing of the mock but the pure core, so that it can be read alone.
"""
