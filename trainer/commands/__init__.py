"""The trainer's command line, one file a command. Heavy imports stand inside the commands, so that --help is quick."""
