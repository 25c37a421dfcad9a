"""The CloudFormation types that moto lacks or gets wrong, and how a template's resources are made.

It stands above all services' folders. Begin with `templates`.
"""
