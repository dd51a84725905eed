from io import StringIO
from unittest.mock import patch

from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from chat.models import Message, Room
from chat.tests.base import SAVE_MANY, World


class SaveMessagesTests(World, TestCase):
    def results(self, *messages):
        answer = self.save_many(*messages)
        self.assertEqual((answer.status_code, answer.json()["success"]), (200, True), answer.json())
        return answer.json()["results"]

    def rows(self):
        return list(Message.objects.order_by("pk").values_list("room_id", "user_id", "identifier", "body"))

    def single(self, **fields):
        """The answer of the single call, which names the room's members too."""
        answer = self.save(**fields).json()
        self.assertEqual(answer.pop("user_ids"), [self.anna.pk, self.ben.pk])
        return answer

    def test_each_message_is_answered_as_in_the_single_call(self):
        results = self.results({"identifier": "m1"}, {"user_id": self.ben.pk, "message_content": " \nx"})
        singles = [self.single(identifier="m1"), self.single(user=self.ben, user_id=self.ben.pk)]
        self.assertEqual(results, singles)
        self.assertEqual(set(results[0]), {"success", "message", "message_date", "message_time"})
        self.assertEqual([result["message"]["body"] for result in results], ["hello", " \nx"])

    def test_saves_in_the_order_in_which_it_is_asked(self):
        names = [f"m{n}" for n in (3, 1, 2)]
        results = self.results(*({"identifier": name} for name in names))
        self.assertEqual([row[2] for row in self.rows()], names)
        self.assertEqual([result["message"]["id"] for result in results], sorted(Message.objects.values_list("pk", flat=True)))

    def test_a_repeat_gets_the_first_answer_and_no_second_row(self):
        first = self.single()
        results = self.results({"message_content": "changed"}, {"identifier": "m2"}, {"identifier": "m2", "message_content": "changed"})
        again = self.results({}, {"identifier": "m2"})
        self.assertEqual(results, [first, results[1], results[1]])
        self.assertEqual(again, results[:2])
        self.assertEqual([row[2:] for row in self.rows()], [("a1", "hello"), ("m2", "hello")])

    def test_a_repeat_is_answered_after_the_user_has_left_the_room(self):
        first = self.save().json()
        self.room.members.remove(self.anna)
        old, new = self.results({}, {"identifier": "a2"})
        self.assertEqual(old["message"], first["message"])
        self.assertEqual(new, {"success": False, "message": "You are not a member of this room"})

    def test_what_can_be_saved_is_although_others_are_refused(self):
        foreign = Room.objects.create(company=self.globex, name="General")
        foreign.members.add(self.dora)
        refusals = {
            "There is no such room in this company": [
                {"company_id": self.globex.pk}, {"room_id": foreign.pk}, {"room_id": foreign.pk + 1},
                {"room_id": foreign.pk, "user_id": self.dora.pk},
            ],
            "You are not a member of this room": [
                {"user_id": self.carla.pk}, {"user_id": self.dora.pk}, {"user_id": 2**53 - 1},
                {"room_id": foreign.pk, "company_id": self.globex.pk},
            ],
        }
        for words, messages in refusals.items():
            for message in messages:
                results = self.results({}, {"identifier": "b", **message})
                self.assertTrue(results[0]["success"], message)
                self.assertEqual(results[1], {"success": False, "message": words}, message)
        self.assertFalse(Message.objects.filter(identifier="b").exists())

    def test_an_odd_message_is_refused_alone(self):
        odd = [
            {"room_id": "x"}, {"identifier": ""}, {"identifier": "i" * 129}, {"message_content": "a\0b"}, {"message_content": ""},
            {"user_id": None}, {"type": "song"}, {"company_id": 0},
        ]
        results = self.results({}, *odd, {"identifier": "a2"})
        self.assertEqual([result["success"] for result in results], [True, *(False for _ in odd), True])
        for change, result in zip(odd, results[1:]):
            self.assertIn(next(iter(change)), result["message"])
        self.assertEqual([row[2] for row in self.rows()], ["a1", "a2"])

    def test_what_is_no_object_is_refused_alone(self):
        sent = {"messages": [5, [], {"type": "chat", **self.fields()}]}
        answer = self.as_user(self.service()).post(SAVE_MANY, sent, format="json")
        self.assertEqual([result["success"] for result in answer.json()["results"]], [False, False, True])

    def test_a_call_that_is_no_batch_is_400(self):
        client = self.as_user(self.service())
        for sent in ([], {}, {"messages": []}, {"messages": {}}, {"messages": [{"type": "chat", **self.fields()}] * 501}):
            answer = client.post(SAVE_MANY, sent, format="json")
            self.assertEqual((answer.status_code, answer.json()["success"]), (400, False), answer.json())
        answer = client.post(SAVE_MANY, '{"messages":[', content_type="application/json")
        self.assertEqual((answer.status_code, answer.json()["success"]), (400, False))

    def test_five_hundred_of_many_rooms_and_users_take_few_queries(self):
        rooms = [Room.objects.create(company=self.acme, name=f"{n}") for n in range(250)]
        for room in rooms:
            room.members.add(self.anna, self.ben)
        messages = [
            {"room_id": room.pk, "user_id": user.pk, "identifier": f"{n}"}
            for n, room in enumerate(rooms) for user in (self.anna, self.ben)
        ]
        client = self.as_user(self.service())
        sent = {"messages": [{"type": "chat", **self.fields(**message)} for message in messages]}
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(SAVE_MANY, sent, format="json")
        self.assertLess(len(queries), 15)  # not 9: SQLite takes at most 999 values at once, and so several inserts
        self.assertTrue(all(result["success"] for result in answer.json()["results"]), answer.json())
        self.assertEqual(Message.objects.count(), 500)

    def test_a_failure_of_our_own_is_no_refusal(self):
        client = self.as_user(self.service())
        client.raise_request_exception = False
        sent = {"messages": [{"type": "chat", **self.fields()}]}
        with patch("chat.models.MessageManager.bulk_create"):  # it leaves out a row for a reason of its own
            self.assertEqual(client.post(SAVE_MANY, sent, format="json").status_code, 500)


class ServiceAccountTests(World, TestCase):
    def test_a_users_own_token_saves_no_batch_not_even_of_the_users_own_messages(self):
        answer = self.save_many({}, user=self.anna)
        self.assertEqual(answer.status_code, 403)
        self.assertEqual(answer.json(), {"success": False, "message": "This token may not save for others"})
        self.assertEqual(Message.objects.count(), 0)

    def test_a_token_that_nobody_has_is_401(self):
        client = self.as_user(self.anna)
        for credentials in ({"HTTP_AUTHORIZATION": "Token nobody"}, {}):
            client.credentials(**credentials)
            answer = client.post(SAVE_MANY, {"messages": []}, format="json")
            self.assertEqual((answer.status_code, answer.json()["success"]), (401, False))

    def test_an_account_that_was_shut_out_is_401(self):
        service = self.service()
        service.is_active = False
        service.save()
        answer = self.as_user(service).post(SAVE_MANY, {"messages": []}, format="json")
        self.assertEqual(answer.status_code, 401)

    def test_the_single_call_takes_the_token_for_every_user_and_checks_the_rest(self):
        service = self.service()
        first = self.save(user=service)
        self.assertEqual(first.json()["message"]["from_user_id"], self.anna.pk)
        self.assertEqual(self.save().json(), first.json())
        refusals = {
            "There is no such room in this company": self.save(user=service, company_id=self.globex.pk),
            "You are not a member of this room": self.save(user=service, user_id=self.carla.pk),
        }
        for words, answer in refusals.items():
            self.assertEqual(answer.json(), {"success": False, "message": words})

    def test_the_account_writes_in_no_room_as_itself(self):
        service = self.service()
        self.assertFalse(self.save(user=service, user_id=service.pk).json()["success"])
        self.assertFalse(service.has_usable_password())

    def test_the_command_prints_the_same_token_again(self):
        printed = [StringIO(), StringIO()]
        for output in printed:
            call_command("service_token", stdout=output)
        service = get_user_model().objects.get(username="chatserver")
        self.assertEqual([output.getvalue().strip() for output in printed], [Token.objects.get(user=service).key] * 2)

    def test_the_command_gives_nobodys_account_the_right(self):
        somebody = get_user_model().objects.create_user("chatserver", password="chat")
        with self.assertRaises(CommandError):
            call_command("service_token", stdout=StringIO())
        self.assertFalse(somebody.has_perm("chat.save_for_others"))
        self.assertFalse(Token.objects.filter(user=somebody).exists())
