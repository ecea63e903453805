"""Measurements of what the kit promises, to be run by hand: `python -m bench.checks` and its neighbours."""
