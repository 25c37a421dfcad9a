"""The domain of plans: what a run would do, by the steps that the run itself takes, in hours and in money.

Begin with `preview`. The command line and the first state of `pipeline` tell the same.
"""
