"""The session record in Redis: it tells ChatServer who is logged in, and where."""
import base64
import json

from django.conf import settings
from rest_framework.authtoken.models import Token

from chat.connection import redis_client
from chat.publish import CONTROL


def key_of(session_key, company_id, user_id):
    return f"{session_key}_{company_id}_{user_id}"


def token_of(key):
    """What the browser sends as the first frame of its WebSocket."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def encode(record):
    """The record as ChatServer's SESSION_ENCRYPTION expects it."""
    text = json.dumps(record).encode()
    if settings.SESSION_ENCRYPTION == "fernet":
        from cryptography.fernet import Fernet  # the other two need no package for it

        return Fernet(settings.FERNET_KEYS[0]).encrypt(text)
    return base64.b64encode(text) if settings.SESSION_ENCRYPTION == "base64" else text


def open_session(request, company):
    """Call it after login(): login() gives the session a new key. Returns the token for the browser."""
    user, session = request.user, request.session
    if session.session_key is None:
        session.save()
    key = key_of(session.session_key, company.pk, user.pk)
    record = {
        "token_key": Token.objects.get_or_create(user=user)[0].key,
        "user": {"id": user.pk, "username": user.get_username()},
        "company": {"id": company.pk, "name": company.name},
    }
    if settings.CHAT_ROOM_IDS_IN_SESSION:
        rooms = user.chat_rooms.filter(company=company).order_by("pk")
        record["room_ids"] = list(rooms.values_list("pk", flat=True))

    redis_client().set(key, encode(record), ex=session.get_expiry_age())
    # Kept in the session, so that logout finds the key even if Django has changed the session's own key meanwhile.
    session["chat_keys"] = sorted({key, *session.get("chat_keys", [])})
    return token_of(key)


def close_sessions(request):
    """Ends every chat session of this login, in all its companies: deleted first, then announced, in one step."""
    with redis_client().pipeline(transaction=True) as pipe:
        for key in request.session.get("chat_keys", []):
            pipe.delete(key)
            pipe.publish(CONTROL, json.dumps({"type": "logout", "key": key}))
        pipe.execute()
