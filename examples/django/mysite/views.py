"""What the pages show."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required as djangos_login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from intastellar_auth.django import login_required


def home(request: HttpRequest) -> HttpResponse:
    """Anybody may see this page."""
    return render(request, "page.html", {"title": "Welcome"})


@djangos_login_required
def members(request: HttpRequest) -> HttpResponse:
    """Only for signed-in users: Django's own decorator says so."""
    return render(request, "page.html", {"title": "Only members can read this"})


@login_required
async def profile(request: HttpRequest) -> HttpResponse:
    """Only for signed-in users, asynchronous."""
    return render(request, "page.html", {"title": "Profile"})


@login_required(scopes="email")
def me(request: HttpRequest) -> JsonResponse:
    """Answer a script, which gets a 401 and no redirect where nobody is signed in."""
    user = request.intastellar_user  # type: ignore[attr-defined]  # UserMiddleware sets it
    return JsonResponse({"sub": user.sub, "email": user.email, "account": request.user.pk})
