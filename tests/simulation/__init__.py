"""A whole fleet in one thread: browsers, processes, a store and a provider, in any order.

``docs/simulation.md`` says what is simulated, and how a seed is replayed.
"""
