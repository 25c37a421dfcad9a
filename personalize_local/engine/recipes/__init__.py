"""One class per algorithm behind one protocol, and the table of recipes, each a row that names its class.

Imports `serving` (a class says how its models answer) and what is below. Begin with `recipe_table`, then `estimator`.
"""
