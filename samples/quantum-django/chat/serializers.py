"""What ChatServer sends with a save. Identifiers and texts are kept as they are: nothing is trimmed."""
from rest_framework import serializers

LARGEST_ID = 2**53 - 1


class SaveForm(serializers.Serializer):
    room_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    user_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    company_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    identifier = serializers.CharField(max_length=128, trim_whitespace=False)


class SaveMessageForm(SaveForm):
    message_content = serializers.CharField(trim_whitespace=False)


class SaveFileForm(SaveForm):
    file = serializers.FileField(allow_empty_file=True)


class BatchMessageForm(SaveMessageForm):
    type = serializers.ChoiceField(["chat"])


class SaveBatchForm(serializers.Serializer):
    messages = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=500)


class MembersForm(serializers.Serializer):
    company_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
