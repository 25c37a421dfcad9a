"""Worker processes: long work runs beside the service, and a crash costs only that work.

Imports the engine's own values (`api`) and nothing else of it. Begin with `worker_pool`.
"""
