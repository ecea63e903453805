"""The other side: a region takes the bags of its points, verifies them, and says what is missing."""
