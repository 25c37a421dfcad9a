"""Models whose scores are sums over a history: item-to-item weights and factors, and how one is chosen.

Imports `evaluation` (candidates are compared by its metrics) and what is below. Begin with `fitted_models`, then
`model_choice`.
"""
