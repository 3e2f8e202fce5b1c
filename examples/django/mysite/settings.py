"""Django's settings; the lines that are about sign-in say so."""

import os
from pathlib import Path

HERE = Path(__file__).parent

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"  # sign-in: or runserver goes past the middleware
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DJANGO_DATABASE", HERE.parent / "db.sqlite3"),
    }
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "intastellar_auth.django_checks",  # sign-in: for manage.py check
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "intastellar_auth.django.UserMiddleware",  # sign-in: after Django's own
]
AUTHENTICATION_BACKENDS = [
    "intastellar_auth.django_backend.IntastellarBackend",  # sign-in
    "django.contrib.auth.backends.ModelBackend",  # for accounts with a password of Django's
]
LOGIN_URL = "/auth/login"  # sign-in: for Django's own decorators and mixins
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    }
]
