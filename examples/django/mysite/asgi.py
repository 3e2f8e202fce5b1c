"""For uvicorn, hypercorn or daphne."""

import os

from django.core.asgi import get_asgi_application

from intastellar_auth.asgi import AuthMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = AuthMiddleware(get_asgi_application())
