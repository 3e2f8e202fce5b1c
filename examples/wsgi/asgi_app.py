"""The same WSGI app behind an ASGI server; it finds the same in its environ."""

from asgiref.wsgi import WsgiToAsgi
from plain_app import site

from intastellar_auth.asgi import AuthMiddleware

application = AuthMiddleware(WsgiToAsgi(site))  # type: ignore[no-untyped-call]  # asgiref's
