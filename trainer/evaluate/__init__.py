"""How alike the persona is, and what it leaks: one figure a file. Speaks through engine, the same that will speak."""
