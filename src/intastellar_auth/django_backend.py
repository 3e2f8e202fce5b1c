"""Accounts of Django's for the users of a provider: permissions, groups, the admin, foreign keys.

Apart from ``intastellar_auth.django``, because Django cannot import this before its apps are ready,
nor at all on a site without a database. In ``settings.py``::

    AUTHENTICATION_BACKENDS = ["intastellar_auth.django_backend.IntastellarBackend"]
"""

from __future__ import annotations

from intastellar_auth.django import username_of
from intastellar_auth.framework import needs
from intastellar_auth.user import User

with needs("django", "5.2"):
    from asgiref.sync import sync_to_async
    from django.contrib.auth import get_user_model
    from django.contrib.auth.backends import ModelBackend
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.hashers import make_password
    from django.http import HttpRequest

__all__ = ["IntastellarBackend"]


class IntastellarBackend(ModelBackend):
    """Finds the account of a ``(iss, sub)``, or makes it; never by e-mail, which can change.

    The name of an account is ``username_of`` its user. It has no password. Inherited, because that
    is how Django has permissions looked up; unlike ``ModelBackend``, this takes no passwords.
    """

    def authenticate(  # type: ignore[override]  # Django picks a backend by its parameters
        self, request: HttpRequest, intastellar_user: User
    ) -> AbstractBaseUser | None:
        """Return the account of ``intastellar_user``; ``None`` where it may not be used.

        That is where it is not active, and where it has a password: then somebody may have
        registered its name ahead of its owner, and would share the account.
        """
        model = get_user_model()
        account, created = model.objects.get_or_create(
            **{str(model.USERNAME_FIELD): username_of(intastellar_user)},
            defaults={"password": make_password(None)},
        )
        if account.has_usable_password() or not self.user_can_authenticate(account):
            return None
        return self.configure_user(request, account, created=created)

    async def aauthenticate(  # type: ignore[override]  # see above
        self, request: HttpRequest, intastellar_user: User
    ) -> AbstractBaseUser | None:
        """Do the same; inherited, it would take passwords."""
        return await sync_to_async(self.authenticate)(request, intastellar_user)

    def configure_user(
        self,
        request: HttpRequest,  # noqa: ARG002 - for subclasses, as in RemoteUserBackend
        user: AbstractBaseUser,
        *,
        created: bool,  # noqa: ARG002 - as above
    ) -> AbstractBaseUser:
        """Return the account ``user`` as it is; a subclass may fill it in, and has to save it.

        Called when its user has signed in. The claims are in ``request.intastellar_user.claims``;
        an ``email`` is the user's own only where ``email_verified`` is ``True``.
        """
        return user
