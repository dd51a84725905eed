"""What Quantum may tell ChatServer while people are connected. Nobody listening is no error: a publish is not kept."""
import json

from chat.connection import redis_client

CONTROL = "chat:control"


def disconnect(user_id, company_id):
    """Closes the user's connections. It ends no session: delete the session's key too, or they come back."""
    _publish(CONTROL, {"type": "disconnect", "user_id": user_id, "company_id": company_id})


def members_changed(company_id, room_id):
    """ChatServer asks for the room's members again and puts out who is no longer one of them."""
    _publish(CONTROL, {"type": "members_changed", "company_id": company_id, "room_id": room_id})


def to_user(user_id, frame):
    """A frame of your own for all connections of one user: a dictionary with a "type"."""
    _publish(f"user_{user_id}", frame)


def _publish(channel, frame):
    redis_client().publish(channel, json.dumps(frame))
