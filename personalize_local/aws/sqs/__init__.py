"""SQS queues whose waiting is instant on a scaled clock, and the mappings that hand their messages to functions.

It imports `lambda_` to call functions. Begin with `queues`.
"""
