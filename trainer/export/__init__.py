"""What of a persona can be taken elsewhere."""
