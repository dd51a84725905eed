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
        """Who may read and write here. Who has left the company is out, whatever the list of members says."""
        members = self.members.filter(is_active=True, companies=self.company_id).order_by("pk")
        return list(members.values_list("pk", flat=True))


class MessageManager(models.Manager):
    def save_once(self, room, user, identifier, body="", upload=None):
        """The one message with this identifier. Inserts first: of several saves at the same moment the database lets one
        through, and the others get its row. No look-up before the insert could promise that."""
        try:
            with transaction.atomic():
                message = self.create(room=room, user=user, identifier=identifier, body=body)
                if upload is not None:
                    message.file.save(upload.name, upload)
            return message
        except IntegrityError:
            return self.get(room=room, user=user, identifier=identifier)


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
        constraints = [models.UniqueConstraint(fields=["room", "user", "identifier"], name="one_row_per_identifier")]

    def __str__(self):
        return f"{self.room_id}/{self.user_id}/{self.identifier}"
