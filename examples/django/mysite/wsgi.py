"""For gunicorn, waitress or mod_wsgi."""

import os

from django.core.wsgi import get_wsgi_application

from intastellar_auth.wsgi import AuthMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = AuthMiddleware(get_wsgi_application())
