"""One training from a snapshot to a model on disk: tuned, fitted, measured, and drawn.

Imports every other chapter but `serving`. Begin with `training_run`.
"""
