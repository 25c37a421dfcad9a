"""What protects a stage's data: the key it is encrypted with, and the care for what was there before the stage.

It may import the settings and the words of the grants table. Begin with `encryption`.
"""
