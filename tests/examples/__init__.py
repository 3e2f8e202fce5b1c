"""The example and the scripts, run as a newcomer runs them."""
