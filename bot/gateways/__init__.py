"""Where people are: each gateway turns a platform's events into IncomingMessage, and OutgoingMessage into posts."""
