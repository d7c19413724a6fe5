"""The pure part: no socket, thread, clock, environment or unseeded randomness.

Time comes in as `now_ms`, Unix milliseconds, and everything that must happen outside comes
out as data (`mockzoom.core.effects`).
"""
