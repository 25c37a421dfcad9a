"""Tell people and programs how runs ended: what an outcome is, how it reads by each protocol, and that it is told once.

It may import `personalize`, `requests` and `gateways`. Begin with `run_outcome`.
"""
