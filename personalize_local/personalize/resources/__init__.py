"""What the service keeps: records of resources, their timelines and quotas, and the jobs that make them real.

It imports the engine and no operation. Begin with `service`, then `records`.
"""
