"""Tables behind docs/fidelity.md: what this project decided where the documentation of the service is silent."""
