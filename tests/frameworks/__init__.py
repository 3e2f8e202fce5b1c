"""The modules for one framework each, behind the real middleware."""
