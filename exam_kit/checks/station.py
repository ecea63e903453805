"""Exam stations as the laptop sees them: results taken in, the matrix of stations and checks (docs/stations.md)."""

from exam_kit.checks.station_intake import Taken, take, taken_before
from exam_kit.checks.station_judge import station_checks
from exam_kit.checks.station_matrix import Cell, Matrix, Row, matrix
from exam_kit.checks.station_sticks import Refusal, ResultRefused, Stick, sticks

__all__ = [
    "Cell",
    "Matrix",
    "Refusal",
    "ResultRefused",
    "Row",
    "Stick",
    "Taken",
    "matrix",
    "station_checks",
    "sticks",
    "take",
    "taken_before",
]
