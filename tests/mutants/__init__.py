"""Faults planted one at a time, and the tests that must find each: `make mutants`."""
