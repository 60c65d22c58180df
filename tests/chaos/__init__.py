"""Faults injected into a daemon that talks to the protocol fakes. `make chaos N=200`."""
