"""People, rooms and requests that the tests share. Redis is a real one: REDIS_HOST and REDIS_PORT say where."""
from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from chat.models import Company, Room

SAVE = "/chat/save_message_to_db/"


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

    def message(self, **changes):
        fields = {
            "room_id": self.room.pk,
            "user_id": self.anna.pk,
            "company_id": self.acme.pk,
            "identifier": "a1",
            "message_content": "hello",
        }
        return "&".join(f"{name}={value}" for name, value in {**fields, **changes}.items())

    def save(self, user=None, **changes):
        return self.as_user(user or self.anna).post(
            SAVE, self.message(**changes), content_type="application/x-www-form-urlencoded"
        )
