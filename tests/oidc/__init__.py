"""Each protocol step by itself: what it asks for, and what it believes."""
