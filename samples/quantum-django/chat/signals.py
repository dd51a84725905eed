"""Django's own events, passed on to ChatServer. Redis out of reach must break neither a logout nor a change of members."""
import logging

import redis
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import m2m_changed
from django.dispatch import receiver

from chat.models import Room
from chat.publish import members_changed
from chat.sessions import close_sessions

logger = logging.getLogger(__name__)


@receiver(user_logged_out)
def end_chat(request, **kwargs):
    """Django sends this before it empties the session: the keys are still there."""
    try:
        close_sessions(request)
    except redis.RedisError as error:
        logger.error("A chat session lives on until it expires, Redis is out of reach: %s", error)


@receiver(m2m_changed, sender=Room.members.through)
def announce_members(instance, action, reverse, pk_set, **kwargs):
    if action == "pre_clear":  # afterwards nobody knows whose rooms they were
        rooms = list(instance.chat_rooms.all()) if reverse else [instance]
    elif action in ("post_add", "post_remove") and pk_set:
        rooms = list(Room.objects.filter(pk__in=pk_set)) if reverse else [instance]
    else:
        return
    # After the commit: ChatServer asks at once, and must not be given the old list.
    transaction.on_commit(lambda: announce(rooms))


def announce(rooms):
    try:
        for room in rooms:
            members_changed(room.company_id, room.pk)
    except redis.RedisError as error:
        logger.warning("ChatServer learns of changed members within a minute only, Redis is out of reach: %s", error)
