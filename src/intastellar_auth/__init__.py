"""Sign users in with Intastellar Accounts, or any OpenID provider, in front of any web app.

``from intastellar_auth.asgi import AuthMiddleware`` is all that an app needs, or the same from
``intastellar_auth.wsgi``.
"""

from intastellar_auth.settings import Settings
from intastellar_auth.user import AnonymousUser, Auth, User

__all__ = ["AnonymousUser", "Auth", "Settings", "User"]
