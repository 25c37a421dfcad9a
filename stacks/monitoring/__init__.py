"""Watch a stage: alarms on what never happens in a healthy system, and a dashboard of the rest.

It may import the settings, the grants table and the references. Begin with `monitoring_stack`.
"""
