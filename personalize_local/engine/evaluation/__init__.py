"""How good lists are: the best k items of many questions at once, and the documented metrics of them.

Imports `interactions`. Begin with `ranked_lists`, then `metrics`.
"""
