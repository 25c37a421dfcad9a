"""Speak the wire of Amazon Personalize: URLs, shapes and bounds from the botocore models, errors, pages, controls.

It imports the operations to register them. Begin with `dispatch`.
"""
