"""Exports in, a sealed adapter bundle out."""
