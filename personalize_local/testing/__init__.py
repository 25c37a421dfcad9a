"""Use the local Personalize in a test suite: begin with `LocalPersonalize`, or with the fixture `local_personalize`.

It may import what runs the service, and nothing of the engine. Nothing is loaded before a test asks for it.
"""
