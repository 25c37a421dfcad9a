"""Complete requests, tiny inputs for each state machine, and the data of the demo."""
