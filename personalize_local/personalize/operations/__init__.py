"""Answer the operations of Amazon Personalize, a module per noun of its API.

They import resources, protocol and controls; one noun imports another for a check. Begin with `dataset_groups`.
"""
