"""Answers of trained models: single questions, exploration, promotions, and batch jobs.

Imports `evaluation`, `filters` and what is below them. Begin with `item_model`, then `batch_job`.
"""
