"""The attacker: thousands of events and sequences of them, and the smallest that does harm."""
