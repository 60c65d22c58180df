"""Readers of exports, one file a format: bytes in, Message out, streaming."""
