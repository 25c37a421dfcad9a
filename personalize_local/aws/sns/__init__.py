"""SNS topics that deliver to queues, to functions and to a list that people and tests can read.

It imports `lambda_` and `sqs`, for subscriptions. Begin with `topics`.
"""
