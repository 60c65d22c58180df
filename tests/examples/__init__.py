"""The sample and its pictures."""
