"""The limits of DynamoDB that moto does not know: sizes of items, keys and item collections.

It imports no other service's folder. Begin with `item_limits`.
"""
