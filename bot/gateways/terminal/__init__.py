"""A chat in the terminal, or with lines from a pipe: the same way of a message as on a platform."""
