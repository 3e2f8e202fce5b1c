"""The drivers and the HTTP client, against real servers."""
