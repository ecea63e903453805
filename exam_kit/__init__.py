"""Exam Kit: the technical specialist's kit for an exam point."""

__version__ = "0.1.0"
