"""The WSGI middleware, in process: no socket, every byte of the environ as a test says."""
