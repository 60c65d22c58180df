"""Platforms on loopback: small servers that speak the real protocols to the real client libraries."""
