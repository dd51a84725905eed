"""The calls that ChatServer makes, in the name of the user whose token it carries, or as itself with QUANTUM_SERVICE_TOKEN."""
from rest_framework import status
from rest_framework.authentication import TokenAuthentication
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from chat.display import display_date, display_time, iso_utc
from chat.models import Message, Room, members_of
from chat.serializers import BatchMessageForm, MembersForm, SaveBatchForm, SaveFileForm, SaveMessageForm


def refused(message):
    return {"success": False, "message": message}


def refusal(message, code=status.HTTP_200_OK):
    return Response(refused(message), status=code)


def saved(message):
    return {
        "success": True,
        "message": {
            "id": message.pk,
            "timestamp": iso_utc(message.created_at),
            "body": message.body,
            "from_user_id": message.user_id,
            "read": message.read,
        },
        "message_date": display_date(message.created_at),
        "message_time": display_time(message.created_at),
    }


def spoken(detail):
    """DRF's nested error details as one line."""
    if isinstance(detail, dict):
        return "; ".join(f"{field}: {spoken(inner)}" for field, inner in detail.items())
    return " ".join(spoken(inner) for inner in detail) if isinstance(detail, list) else str(detail)


class ChatView(APIView):
    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]

    def handle_exception(self, exc):
        """DRF's refusals (400, 401, 429 …) in the shape of all others. What is no refusal stays a 500: it is retried."""
        response = super().handle_exception(exc)
        response.data = refused(spoken(getattr(exc, "detail", str(exc))))
        return response


SAVE_FOR_OTHERS = "chat.save_for_others"


class SavesForOthers(BasePermission):
    """ChatServer's own account: nobody else may say whose message it is."""

    message = "This token may not save for others"

    def has_permission(self, request, view):
        return request.user.has_perm(SAVE_FOR_OTHERS)


class SaveView(ChatView):
    """At-least-once: a repeat gets the first answer again, and there is one row."""

    form_class = None

    def post(self, request):
        form = self.form_class(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data

        user_id = sent["user_id"]
        if user_id != request.user.pk and not request.user.has_perm(SAVE_FOR_OTHERS):
            return refusal("The token belongs to another user")
        room = Room.objects.filter(pk=sent["room_id"], company_id=sent["company_id"]).first()
        if room is None:
            return refusal("There is no such room in this company")

        user_ids = room.member_ids()
        message = Message.objects.filter(room=room, user=user_id, identifier=sent["identifier"]).first()
        if message is None:  # a repeat is answered as before, even if the user has left the room meanwhile
            if user_id not in user_ids:
                return refusal("You are not a member of this room")
            message = Message.objects.save_once(
                room, user_id, sent["identifier"], sent.get("message_content", ""), sent.get("file")
            )
        return Response({**saved(message), "user_ids": user_ids})


class SaveMessage(SaveView):
    form_class = SaveMessageForm
    parser_classes = [FormParser]


class SaveFile(SaveView):
    form_class = SaveFileForm
    parser_classes = [MultiPartParser]


class SaveMessages(ChatView):
    """Many messages of several rooms and users: all that can be saved is, and each has an answer of its own."""

    parser_classes = [JSONParser]
    permission_classes = [IsAuthenticated, SavesForOthers]

    def post(self, request):
        batch = SaveBatchForm(data=request.data)
        batch.is_valid(raise_exception=True)
        forms = [BatchMessageForm(data=message) for message in batch.validated_data["messages"]]
        sent = [form.validated_data for form in forms if form.is_valid()]
        members = members_of(list(Room.objects.filter(pk__in={fields["room_id"] for fields in sent})))

        Message.objects.save_many_once([
            Message(
                room_id=fields["room_id"],
                user_id=fields["user_id"],
                identifier=fields["identifier"],
                body=fields["message_content"],
            )
            for fields in sent
            if fields["user_id"] in members.get((fields["company_id"], fields["room_id"]), [])
        ])
        # Read again: a repeat is answered with its first row.
        rows = Message.objects.named((fields["room_id"], fields["user_id"], fields["identifier"]) for fields in sent)
        return Response({"success": True, "results": [self.result(form, members, rows) for form in forms]})

    @staticmethod
    def result(form, members, rows):
        if form.errors:
            return refused(spoken(form.errors))
        fields = form.validated_data
        user_ids = members.get((fields["company_id"], fields["room_id"]))
        if user_ids is None:
            return refused("There is no such room in this company")
        name = fields["room_id"], fields["user_id"], fields["identifier"]
        if name not in rows and fields["user_id"] not in user_ids:
            return refused("You are not a member of this room")
        # A member's message without a row is no refusal but a failure: the KeyError becomes a 500, and all is tried again.
        # Without user_ids: a batch from large rooms would carry their lists a hundred times.
        return saved(rows[name])


class Members(ChatView):
    """The list is the room's, whoever of the company asks: ChatServer keeps it for everyone."""

    def get(self, request, room_id):
        form = MembersForm(data=request.query_params)
        form.is_valid(raise_exception=True)
        company_id = form.validated_data["company_id"]

        if not request.user.companies.filter(pk=company_id).exists():
            return refusal("You do not belong to this company", status.HTTP_403_FORBIDDEN)
        room = Room.objects.filter(pk=room_id, company_id=company_id).first()
        if room is None:
            return refusal("There is no such room in this company", status.HTTP_404_NOT_FOUND)
        return Response({"success": True, "user_ids": room.member_ids()})
