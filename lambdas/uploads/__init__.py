"""The domain of incoming files: every object gets a row in the ledger and is imported once, or reported rejected.

It imports `file_checks`, the gateways and the request's model. Begin with `claims`, which decides what comes next.
"""
