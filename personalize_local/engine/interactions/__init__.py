"""What models are fitted to: histories, co-occurrence counts, the split into users to fit on and users to measure with.

Imports `datasets`, to read a snapshot. Begin with `histories` and `training_data`.
"""
