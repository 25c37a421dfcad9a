"""The commands: each module a few that belong together, each function one command."""
