"""The installed program: every command of the trainer and the bot under one name."""
