"""The domain: resource table, lifecycle, request, plan, gateway. Knows nothing about Lambda."""
