"""Real object stores for the tests, and a line to them that can be disturbed."""
