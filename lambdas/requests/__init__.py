"""The domain of requests: what somebody wants for a dataset group, checked and expanded to a plan.

It imports the resource table and the gateways. Begin with `request`, the model, then `plan`.
"""
