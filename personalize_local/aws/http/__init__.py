"""The HTTP endpoint of the local cloud: who may connect, what is read of a request, and whose signature it bears.

It stands in front of everything else and imports only `iam`. Begin with `endpoint`.
"""
