"""The way of a message: when to speak, what was said, what to say, how to hand it over."""
