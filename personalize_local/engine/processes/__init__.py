"""Worker processes and threads: long work runs beside the service and on all cores; a crash costs only that work.

Imports the engine's own values (`api`) and nothing else of it. Begin with `worker_pool`.
"""
