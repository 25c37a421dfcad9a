"""What `--state` keeps: S3 objects, DynamoDB items, messages and Personalize's resources, as of one moment.

`directory` takes the directory or refuses it, `moments` writes what changed since the last moment, every second or so,
in one transaction. Nothing in the directory is ever unpickled or executed.
"""
