"""The domain of whole dataset groups: the schedules of one, its teardown, and forgetting some of its users.

It imports the domains of requests, releases and uploads, and the gateways. Begin with `schedule_changes`.
"""
