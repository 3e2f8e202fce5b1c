"""Serve the WSGI site with the standard library: ``python -m tests.support.wsgiref_server PORT``.

With ``threads`` as a second argument each request has a thread of its own, as the development
servers of Flask and Django do it.
"""

from __future__ import annotations

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from tests.support.wsgi_site_app import app


class Patient(WSGIServer):
    """One request at a time; those that wait are more than the five that wsgiref lets wait."""

    request_queue_size = 128


class Threaded(ThreadingMixIn, Patient):
    """All at once."""

    daemon_threads = True


server_class = {"": Patient, "threads": Threaded}["".join(sys.argv[2:])]
make_server("127.0.0.1", int(sys.argv[1]), app, server_class=server_class).serve_forever()
