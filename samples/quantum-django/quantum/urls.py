from django.urls import include, path

from quantum.views import Login, Logout

urlpatterns = [
    path("login/", Login.as_view()),
    path("logout/", Logout.as_view()),
    path("chat/", include("chat.urls")),
]
