"""The Lambda handlers, one module per verb."""
