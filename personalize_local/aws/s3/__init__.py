"""What moto's S3 lacks: policies of buckets, events of objects, cheap listings of versions, the limit of a key.

It imports `iam` to judge policies and `events` to send what happened. Begin with `object_events`.
"""
