"""Django's own login page, and the toolkit under /o, as its tutorial has it."""
from django.contrib.auth import views
from django.urls import include, path

urlpatterns = [
    path("accounts/login/", views.LoginView.as_view(template_name="login.html"), name="login"),
    path("accounts/logout/", views.LogoutView.as_view(next_page="/accounts/login/"), name="logout"),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
