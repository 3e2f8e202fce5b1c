"""``AuthMiddleware`` in process: what comes in as a scope, what goes out as messages."""
