"""A daemon of its own process under load, talking to Discord on loopback."""
