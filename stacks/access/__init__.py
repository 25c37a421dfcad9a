"""Who may touch what of Amazon Personalize and of the bucket."""
