"""The wire of Amazon Personalize: URLs, shapes and bounds from the botocore models, error words, pages of lists.

It imports the operations only to register them. Begin with `dispatch`.
"""
