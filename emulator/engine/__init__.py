"""What makes the emulated service real: dataset store, recipes, metrics, batch. Knows nothing about moto."""

import os

# The recommenders use a thread per core themselves. BLAS threads underneath wait for one another: with one busy
# neighbour they cost a factor of twenty. BLAS reads this once, so it must be set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
