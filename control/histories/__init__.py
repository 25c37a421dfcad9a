"""Tell what became of files and versions: from the ledger and the releases.

It may import the connection and printing. Begin with `group_history`.
"""
