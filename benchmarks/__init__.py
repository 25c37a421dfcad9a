"""Measured claims, each against a named peer or limit in the same run."""

import personalize_local.engine  # noqa: F401 - gives BLAS one thread, for us and for the peers, before numpy is imported
