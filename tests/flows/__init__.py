"""Flows driven by hand, one effect at a time: no network, no event loop, no clock but ours."""
