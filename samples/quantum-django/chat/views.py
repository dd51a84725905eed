"""The three calls that ChatServer makes, each in the name of the user whose token it carries."""
from rest_framework import status
from rest_framework.authentication import TokenAuthentication
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from chat.display import display_date, display_time, iso_utc
from chat.models import Message, Room
from chat.serializers import MembersForm, SaveFileForm, SaveMessageForm


def refusal(message, code=status.HTTP_200_OK):
    return Response({"success": False, "message": message}, status=code)


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
        response.data = {"success": False, "message": spoken(getattr(exc, "detail", str(exc)))}
        return response


class SaveView(ChatView):
    """At-least-once: a repeat gets the first answer again, and there is one row."""

    form_class = None

    def post(self, request):
        form = self.form_class(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data

        if sent["user_id"] != request.user.pk:
            return refusal("The token belongs to another user")
        room = Room.objects.filter(pk=sent["room_id"], company_id=sent["company_id"]).first()
        if room is None:
            return refusal("There is no such room in this company")

        user_ids = room.member_ids()
        message = Message.objects.filter(room=room, user=request.user, identifier=sent["identifier"]).first()
        if message is None:  # a repeat is answered as before, even if the user has left the room meanwhile
            if request.user.pk not in user_ids:
                return refusal("You are not a member of this room")
            message = Message.objects.save_once(
                room, request.user, sent["identifier"], sent.get("message_content", ""), sent.get("file")
            )
        return Response({
            "success": True,
            "message": {
                "id": message.pk,
                "timestamp": iso_utc(message.created_at),
                "body": message.body,
                "from_user_id": message.user_id,
                "read": message.read,
            },
            "user_ids": user_ids,
            "message_date": display_date(message.created_at),
            "message_time": display_time(message.created_at),
        })


class SaveMessage(SaveView):
    form_class = SaveMessageForm
    parser_classes = [FormParser]


class SaveFile(SaveView):
    form_class = SaveFileForm
    parser_classes = [MultiPartParser]


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
