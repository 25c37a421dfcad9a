"""Lambda functions that run in processes of their own, within the memory and the share of CPU that they are given.

It imports no other service's folder. Begin with `functions`, then `workers`.
"""
