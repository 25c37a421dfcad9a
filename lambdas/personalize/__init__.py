"""The domain of Amazon Personalize: resource table, lifecycle, the steps of the wait loops, the gateway to the service.

It knows no Lambda and no client but the gateway's. Begin with `resources`, the table that everything else reads.
"""
