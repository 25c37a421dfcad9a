"""The command line of the control plane, for AWS and for the local cloud alike: `python -m control`.

It reads and plans through the same gateways and steps as the handlers. Begin with `commands`.
"""
