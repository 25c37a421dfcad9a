"""Measure how fast the local Personalize trains and answers, against peers in the same run."""
