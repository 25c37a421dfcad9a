"""EventBridge's rules and schedules and EventBridge Scheduler, firing by the scaled clock.

It imports the services that a target can be. Begin with `rules`; `scheduler` is the newer service of its own.
"""
