"""Follow and explain executions of the state machines, with what they started."""
