"""How soon something is there: each against a named peer in the same run. Begin with `local_start`."""
