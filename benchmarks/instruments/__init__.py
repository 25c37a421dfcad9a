"""Hold what the benchmarks measure with: bars and their table, planted data, memory of processes, an app to kill."""
