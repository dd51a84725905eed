"""One company whose users are in rooms as the generator's connections are; for `manage.py shell`. Rows are made in bulk: no signals."""
import os

from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from chat.models import Company, Room

company_id, user_count, room_count = (int(os.environ[f"BENCH_{name}"]) for name in ("COMPANY", "USERS", "ROOMS"))
users = range(1, user_count + 1)
in_company, in_room = Company.users.through, Room.members.through

Company.objects.create(pk=company_id, name="Bench")
User.objects.bulk_create([User(pk=user, username=f"user{user}", password="!") for user in users])
Token.objects.bulk_create([Token(key=f"{os.environ['BENCH_TOKEN']}{user}", user_id=user) for user in users])
in_company.objects.bulk_create([in_company(company_id=company_id, user_id=user) for user in users])
Room.objects.bulk_create([Room(pk=room, company_id=company_id, name=f"Room {room}") for room in range(1, room_count + 1)])
in_room.objects.bulk_create([in_room(room_id=(user - 1) % room_count + 1, user_id=user) for user in users])
