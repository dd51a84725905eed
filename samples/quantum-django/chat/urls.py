from django.urls import path

from chat.views import Members, SaveFile, SaveMessage, SaveMessages

urlpatterns = [
    path("save_message_to_db/", SaveMessage.as_view()),
    path("save_messages_to_db/", SaveMessages.as_view()),
    path("save_file_to_db/", SaveFile.as_view()),
    path("rooms/<int:room_id>/members/", Members.as_view()),
]
