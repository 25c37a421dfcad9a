"""The local cloud: the same machines and handlers, whole on a laptop."""
