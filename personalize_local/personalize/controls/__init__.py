"""Hold what a person can set from outside: faults, switches for undocumented choices, quotas, durations.

It imports nothing of the service but the names of its resource types. Begin with `faults`.
"""
