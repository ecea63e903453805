"""Cameras: sources, recording, segments and gaps, coverage, picture health. The only room that uses PyAV and OpenCV."""
