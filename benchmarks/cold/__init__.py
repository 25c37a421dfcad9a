"""How good the recommenders are for items and users without a history, on real and on planted sets.

Imports the instruments and the engine. Begin with `cold_items`.
"""
