"""One training from a snapshot to a model on disk: tuned, fitted, measured, and drawn.

Imports every chapter below it, `recipes` first. Begin with `training_run`.
"""
