"""Answers of fitted models, whatever fitted them: single questions, exploration, promotions, and batch jobs.

Imports `evaluation`, `filters` and what is below them. Begin with `served_models`, then `item_lists`.
"""
