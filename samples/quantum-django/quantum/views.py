"""Login and logout, as any Django project has them; what the chat adds is `open_session` (and `chat.signals` at logout)."""
import logging

import redis
from django.contrib.auth import authenticate, get_user, login, logout
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response

from chat.sessions import open_session
from chat.views import ChatView, refusal

logger = logging.getLogger("chat.login")


class LoginForm(serializers.Serializer):
    username = serializers.CharField()
    password = serializers.CharField(trim_whitespace=False)
    company_id = serializers.IntegerField(min_value=1)


class Login(ChatView):
    """`POST /login/` with `{"username", "password", "company_id"}`: the token for the chat, the user, the company, its rooms."""

    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [JSONParser]

    def post(self, request):
        form = LoginForm(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        # Django's own request: login() leaves marks on it that its middleware looks for.
        request = request._request

        user = authenticate(request, username=asked["username"], password=asked["password"])
        if user is None:
            return refusal("User name or password is not correct", status.HTTP_401_UNAUTHORIZED)
        company = user.companies.filter(pk=asked["company_id"]).first()
        if company is None:
            return refusal("You do not belong to this company", status.HTTP_403_FORBIDDEN)

        # login() would drop another user's session without the signal that ends its chat. DRF has made request.user anonymous.
        if get_user(request).is_authenticated and get_user(request) != user:
            logout(request)
        login(request, user)
        try:
            token = open_session(request, company)
        except redis.RedisError as error:
            logger.error("User %s was not logged in, Redis is out of reach: %s", user.pk, error)
            logout(request)
            return refusal("The chat is out of reach, please try again", status.HTTP_503_SERVICE_UNAVAILABLE)

        rooms = user.chat_rooms.filter(company=company).order_by("pk").values("id", "name")
        return Response({
            "success": True,
            "token": token,
            "user": {"id": user.pk, "username": user.get_username()},
            "company": {"id": company.pk, "name": company.name},
            "rooms": list(rooms),
        })


class Logout(ChatView):
    """`POST /logout/` with the session's cookie and the header `X-CSRFToken`."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [IsAuthenticated]

    def post(self, request):
        logout(request._request)
        return Response({"success": True})
