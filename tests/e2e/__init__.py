"""A real Chromium signs in through a certified provider."""
