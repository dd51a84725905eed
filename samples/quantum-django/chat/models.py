from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone


class Company(models.Model):
    name = models.CharField(max_length=200)
    users = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="companies")

    def __str__(self):
        return self.name


class Room(models.Model):
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="rooms")
    name = models.CharField(max_length=200)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="chat_rooms")

    def __str__(self):
        return self.name

    def member_ids(self):
        """Who may read and write here."""
        return members_of([self])[self.company_id, self.pk]


def members_of(rooms):
    """Who may read and write in these rooms: (company id, room id) -> user ids, in one query. Who has left the company is out,
    whatever the list of members says."""
    members = Room.members.through.objects.filter(
        room__in=rooms, user__is_active=True, user__companies=models.F("room__company")
    )
    user_ids = {(room.company_id, room.pk): [] for room in rooms}
    for *room, user_id in members.order_by("user_id").values_list("room__company_id", "room_id", "user_id"):
        user_ids[tuple(room)].append(user_id)
    return user_ids


class MessageManager(models.Manager):
    def save_once(self, room, user_id, identifier, body="", upload=None):
        """The one message with this identifier. Inserts first: of several saves at the same moment the database lets one
        through, and the others get its row. No look-up before the insert could promise that."""
        try:
            with transaction.atomic():
                message = self.create(room=room, user_id=user_id, identifier=identifier, body=body)
                if upload is not None:
                    message.file.save(upload.name, upload)
            return message
        except IntegrityError:
            return self.get(room=room, user_id=user_id, identifier=identifier)

    def save_many_once(self, messages):
        """The same for many, in one insert: what the database has already, it leaves as it is. Django sends no signals for them."""
        self.bulk_create(messages, ignore_conflicts=True)

    def named(self, names):
        """The messages of these names, each (room id, user id, identifier), by their names. What there is not is left out."""
        identifiers = {}
        for room_id, user_id, identifier in names:
            identifiers.setdefault((room_id, user_id), []).append(identifier)
        conditions = [
            models.Q(room=room_id, user=user_id, identifier__in=some) for (room_id, user_id), some in identifiers.items()
        ]
        rows = self.filter(models.Q(*conditions, _connector=models.Q.OR)) if conditions else []
        return {(row.room_id, row.user_id, row.identifier): row for row in rows}


def upload_folder(message, name):
    return f"chat/{message.room.company_id}/{message.room_id}/{name}"


class Message(models.Model):
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_messages")
    identifier = models.CharField(max_length=128)
    body = models.TextField(blank=True)
    file = models.FileField(upload_to=upload_folder, max_length=500, blank=True)
    read = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MessageManager()

    class Meta:
        # For ChatServer's own account (see the command service_token). Django gives it to superusers too.
        permissions = [("save_for_others", "Can save messages in the name of every user")]
        constraints = [models.UniqueConstraint(fields=["room", "user", "identifier"], name="one_row_per_identifier")]

    def __str__(self):
        return f"{self.room_id}/{self.user_id}/{self.identifier}"
