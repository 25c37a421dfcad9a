"""One class per algorithm behind one protocol, and the table of recipes, each a row that names its class.

Imports everything but `training`. Begin with `recipe_table`, then `estimator`.
"""
