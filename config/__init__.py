"""What differs between deployments."""
