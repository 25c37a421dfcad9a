"""What models are fitted to: histories, the items they are about, the split into users to fit and to measure with.

Imports `datasets`, to read a snapshot. Begin with `histories` and `training_data`.
"""
