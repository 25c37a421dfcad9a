"""The Amazon Personalize service, on the wire."""
