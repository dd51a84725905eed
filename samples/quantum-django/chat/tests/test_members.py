import json

from django.test import TestCase

from chat.connection import redis_client
from chat.publish import disconnect, to_user
from chat.tests.base import World


class MembersTests(World, TestCase):
    def members(self, user, room=None, company=None):
        room_id, company_id = room or self.room.pk, (company or self.acme).pk
        return self.as_user(user).get(f"/chat/rooms/{room_id}/members/?company_id={company_id}")

    def test_everyone_of_the_company_is_told_the_same_list(self):
        for user in (self.anna, self.carla):
            answer = self.members(user)
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.json(), {"success": True, "user_ids": [self.anna.pk, self.ben.pk]})

    def test_who_has_left_the_company_or_was_shut_out_is_no_member(self):
        self.acme.users.remove(self.anna)
        self.assertEqual(self.members(self.ben).json()["user_ids"], [self.ben.pk])
        self.ben.is_active = False
        self.ben.save()
        self.assertEqual(self.members(self.carla).json()["user_ids"], [])

    def test_another_company_is_403(self):
        self.assertEqual(self.members(self.dora).status_code, 403)

    def test_a_room_that_the_company_does_not_have_is_404(self):
        self.assertEqual(self.members(self.anna, room=self.room.pk + 1).status_code, 404)
        self.assertEqual(self.members(self.dora, company=self.globex).status_code, 404)

    def test_without_a_company_is_400(self):
        answer = self.as_user(self.anna).get(f"/chat/rooms/{self.room.pk}/members/")
        self.assertEqual((answer.status_code, answer.json()["success"]), (400, False))


class PublishTests(World, TestCase):
    def setUp(self):
        super().setUp()
        self.listener = redis_client().pubsub()
        self.addCleanup(self.listener.close)
        self.listener.subscribe("chat:control", f"user_{self.anna.pk}")
        for _ in range(2):
            self.assertIsNotNone(self.listener.get_message(timeout=5))

    def heard(self):
        message = self.listener.get_message(timeout=5)
        return message and (message["channel"].decode(), json.loads(message["data"]))

    def test_members_changed_follows_the_commit(self):
        changed = {"type": "members_changed", "company_id": self.acme.pk, "room_id": self.room.pk}
        changes = [
            lambda: self.room.members.add(self.carla),
            lambda: self.room.members.remove(self.carla),
            lambda: self.anna.chat_rooms.remove(self.room),
            lambda: self.anna.chat_rooms.add(self.room),
            lambda: self.anna.chat_rooms.clear(),
            lambda: self.room.members.clear(),
        ]
        for change in changes:
            with self.captureOnCommitCallbacks(execute=True):
                change()
                self.assertIsNone(self.listener.get_message(timeout=0.02))
            self.assertEqual(self.heard(), ("chat:control", changed))

    def test_a_change_that_changes_nothing_is_not_announced(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.room.members.add(self.anna)
        self.assertIsNone(self.listener.get_message(timeout=0.1))

    def test_disconnect_and_a_frame_of_our_own(self):
        disconnect(self.anna.pk, self.acme.pk)
        self.assertEqual(
            self.heard(), ("chat:control", {"type": "disconnect", "user_id": self.anna.pk, "company_id": self.acme.pk})
        )
        to_user(self.anna.pk, {"type": "task", "id": 5})
        self.assertEqual(self.heard(), (f"user_{self.anna.pk}", {"type": "task", "id": 5}))
