"""The first run: exports found, people named, a base chosen for this machine, settings written. Trains nothing."""
