"""The domain of solution versions: whether to train another, which may serve, and what became of each.

It imports the request's model, the gateways and what is known of Amazon Personalize. Begin with `training_decision`.
"""
