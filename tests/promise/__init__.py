"""The promise table P1 to P13, row by row, against real servers and strict providers."""
