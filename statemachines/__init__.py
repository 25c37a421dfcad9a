"""The state machines (*.asl.json) and the only reader of their files."""
