"""Filter expressions: their grammar, their checks against schemas, and which items pass for one question.

Imports `datasets` and `interactions`. Begin with `filter_parser`, then `filter_masks`.
"""
