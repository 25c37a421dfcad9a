"""The gateways to S3, DynamoDB and Step Functions: a Protocol for the domain, and the one class that has a client.

They import nothing of ours. Begin with `dynamodb`; the gateway to Personalize is `lambdas.personalize.gateway`.
"""
