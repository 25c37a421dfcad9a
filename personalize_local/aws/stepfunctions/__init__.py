"""Step Functions: LocalStack's interpreter as moto ships it, with limits, redrives and status events.

It imports `lambda_` for tasks and `events` for status changes. Begin with `executions`, then `interpreter`.
"""
