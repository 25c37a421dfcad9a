"""What an IAM identity may do: which permissions a request needs, and whether policies grant them.

It knows the services by the names of their actions and imports no other service's folder. Begin with `authorization`.
"""
