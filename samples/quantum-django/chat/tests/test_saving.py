import tempfile
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import TestCase, TransactionTestCase, override_settings

from chat.models import Message
from chat.tests.base import World


class SaveMessageTests(World, TestCase):
    def test_answers_as_the_contract_says(self):
        answer = self.save()
        self.assertEqual(answer.status_code, 200)
        row = Message.objects.get()
        data = answer.json()
        self.assertRegex(data["message"].pop("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(data.pop("message_time"), r"^(0[1-9]|1[0-2]):[0-5]\d [AP]M$")
        self.assertEqual(data, {
            "success": True,
            "message": {"id": row.pk, "body": "hello", "from_user_id": self.anna.pk, "read": False},
            "user_ids": [self.anna.pk, self.ben.pk],
            "message_date": "Today",
        })

    def test_a_repeat_gets_the_first_answer_and_no_second_row(self):
        first, second = self.save(), self.save(message_content="changed")
        self.assertEqual(first.json(), second.json())
        self.assertEqual(Message.objects.count(), 1)

    def test_a_repeat_is_answered_after_the_user_has_left_the_room(self):
        first = self.save().json()
        self.room.members.remove(self.anna)
        self.assertEqual(self.save().json()["message"], first["message"])
        self.assertFalse(self.save(identifier="a2").json()["success"])

    def test_the_identifier_counts_within_room_and_user_only(self):
        self.save()
        self.save(user=self.ben, user_id=self.ben.pk)
        self.save(identifier="A1")
        self.assertEqual(Message.objects.count(), 3)

    def test_keeps_every_character(self):
        answer = self.save(identifier="%20a%2F1%20", message_content="%20%0A%F0%9F%98%80%20")
        self.assertEqual(answer.json()["message"]["body"], " \n\U0001F600 ")
        self.assertEqual(Message.objects.get().identifier, " a/1 ")

    def test_refuses_what_the_token_does_not_cover(self):
        refusals = {
            "The token belongs to another user": self.save(user=self.ben),
            "There is no such room in this company": self.save(company_id=self.globex.pk),
            "You are not a member of this room": self.save(user=self.carla, user_id=self.carla.pk),
        }
        for words, answer in refusals.items():
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.json(), {"success": False, "message": words})
        self.assertEqual(Message.objects.count(), 0)

    def test_refuses_a_form_that_is_not_whole(self):
        for changes in ({"room_id": "x"}, {"identifier": ""}, {"identifier": "i" * 129}, {"message_content": "a%00b"}):
            answer = self.save(**changes)
            self.assertEqual(answer.status_code, 400, changes)
            self.assertFalse(answer.json()["success"])
            self.assertIn(next(iter(changes)), answer.json()["message"])

    def test_refuses_a_token_that_nobody_has(self):
        client = self.as_user(self.anna)
        client.credentials(HTTP_AUTHORIZATION="Token nobody")
        answer = client.post("/chat/save_message_to_db/", self.message(), content_type="application/x-www-form-urlencoded")
        self.assertEqual(answer.status_code, 401)
        self.assertEqual(answer.json(), {"success": False, "message": "Invalid token."})

    def test_a_failure_of_our_own_is_no_refusal(self):
        with patch("chat.models.MessageManager.save_once", side_effect=OSError("disk full")):
            client = self.as_user(self.anna)
            client.raise_request_exception = False
            answer = client.post("/chat/save_message_to_db/", self.message(), content_type="application/x-www-form-urlencoded")
        self.assertEqual(answer.status_code, 500)


class SaveFileTests(World, TestCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        settings = override_settings(MEDIA_ROOT=folder.name)
        settings.enable()
        self.addCleanup(settings.disable)

    def save_file(self, content=b"%PDF", name="plan.pdf"):
        fields = {"room_id": self.room.pk, "user_id": self.anna.pk, "company_id": self.acme.pk, "identifier": "f1"}
        upload = SimpleUploadedFile(name, content, content_type="application/pdf")
        return self.as_user(self.anna).post("/chat/save_file_to_db/", {**fields, "file": upload}, format="multipart")

    def test_keeps_the_bytes_once(self):
        first, second = self.save_file(), self.save_file(b"other")
        self.assertTrue(first.json()["success"])
        self.assertEqual(first.json(), second.json())
        with Message.objects.get().file.open() as file:
            self.assertEqual(file.read(), b"%PDF")

    def test_keeps_a_file_of_no_bytes(self):
        self.assertTrue(self.save_file(b"").json()["success"])
        self.assertEqual(Message.objects.get().file.size, 0)

    def test_keeps_no_row_when_the_file_cannot_be_written(self):
        client_error = OSError("disk full")
        with patch("django.core.files.storage.FileSystemStorage._save", side_effect=client_error):
            with self.assertRaises(OSError):
                self.save_file()
        self.assertEqual(Message.objects.count(), 0)


class ConcurrentSaveTests(World, TransactionTestCase):
    def test_twenty_saves_at_once_make_one_row(self):
        def save(_):
            try:
                return Message.objects.save_once(self.room, self.anna.pk, "a1", "hello").pk
            finally:
                connections.close_all()

        with ThreadPoolExecutor(max_workers=20) as pool:
            ids = set(pool.map(save, range(20), timeout=60))
        self.assertEqual(ids, {Message.objects.get().pk})
