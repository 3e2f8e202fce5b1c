"""The pages."""

from django.urls import path

from mysite import views

urlpatterns = [
    path("", views.home),
    path("members", views.members),
    path("profile", views.profile),
    path("api/me", views.me),
]
