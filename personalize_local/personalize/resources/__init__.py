"""Keep what the service has: records of resources, their status timelines, and the jobs that make them real.

It imports the engine and no operation. Begin with `service`, then `records`.
"""
