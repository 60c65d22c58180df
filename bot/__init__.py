"""A daemon that answers for the persona."""
