"""People, rooms and requests that the tests share. Redis is a real one: REDIS_HOST and REDIS_PORT say where."""
from io import StringIO

from django.contrib.auth import get_user_model
from django.core.management import call_command
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from chat.models import Company, Room

SAVE = "/chat/save_message_to_db/"
SAVE_MANY = "/chat/save_messages_to_db/"


class World:
    """Anna and Ben share a room of Acme, Carla works there too, Dora works elsewhere. A mixin for Django's test cases."""

    def setUp(self):
        self.acme, self.globex = Company.objects.create(name="Acme"), Company.objects.create(name="Globex")
        self.anna, self.ben, self.carla, self.dora = (
            get_user_model().objects.create_user(name) for name in ("anna", "ben", "carla", "dora")
        )
        self.acme.users.add(self.anna, self.ben, self.carla)
        self.globex.users.add(self.dora, self.anna)
        self.room = Room.objects.create(company=self.acme, name="General")
        self.room.members.add(self.anna, self.ben)

    def as_user(self, user):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0].key}")
        return client

    def service(self):
        """ChatServer's own account."""
        call_command("service_token", stdout=StringIO())
        return get_user_model().objects.get(username="chatserver")

    def fields(self, **changes):
        fields = {
            "room_id": self.room.pk,
            "user_id": self.anna.pk,
            "company_id": self.acme.pk,
            "identifier": "a1",
            "message_content": "hello",
        }
        return {**fields, **changes}

    def message(self, **changes):
        return "&".join(f"{name}={value}" for name, value in self.fields(**changes).items())

    def save(self, user=None, **changes):
        return self.as_user(user or self.anna).post(
            SAVE, self.message(**changes), content_type="application/x-www-form-urlencoded"
        )

    def save_many(self, *messages, user=None):
        """Each message as the changes to the usual one."""
        sent = [{"type": "chat", **self.fields(**changes)} for changes in messages]
        return self.as_user(user or self.service()).post(SAVE_MANY, {"messages": sent}, format="json")
