"""Two companies, four people and three rooms to try the chat with. Running it again changes nothing but the passwords."""
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction

from chat.models import Company, Room

COMPANIES = {
    "Acme": {"users": ["anna", "ben", "carla"], "rooms": {"General": ["anna", "ben", "carla"], "Plans": ["anna", "ben"]}},
    "Globex": {"users": ["anna", "dora"], "rooms": {"General": ["anna", "dora"]}},
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--password", default="chat", help="for everyone (default: chat)")

    @transaction.atomic
    def handle(self, *args, password, **options):
        for company_name, content in COMPANIES.items():
            company, _ = Company.objects.get_or_create(name=company_name)
            users = {name: self.user(name, password) for name in content["users"]}
            company.users.add(*users.values())
            for room_name, members in content["rooms"].items():
                room, _ = Room.objects.get_or_create(company=company, name=room_name)
                room.members.add(*(users[name] for name in members))
                self.stdout.write(f"company {company.pk} {company_name}, room {room.pk} {room_name}: {', '.join(members)}")
        self.stdout.write(f"The password of each is: {password}")

    @staticmethod
    def user(name, password):
        user, _ = get_user_model().objects.get_or_create(username=name)
        user.set_password(password)
        user.save()
        return user
