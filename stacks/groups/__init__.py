"""What is deployed for whole dataset groups: the home of their schedules, and what their handlers may do.

It imports the words of the grants table. Begin with `group_grants`.
"""
