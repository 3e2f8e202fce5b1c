"""Inputs and orders of events that nobody has thought of, held against the promises."""
