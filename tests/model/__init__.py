"""The promise of exactly-once, in every order of what can happen."""
