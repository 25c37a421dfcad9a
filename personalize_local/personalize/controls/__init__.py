"""What a person can set from outside: faults, switches for undocumented choices, and how long things take.

It imports nothing of the service but the names of its resource types. Begin with `fault_routes`.
"""
