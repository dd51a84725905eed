import base64
import json
from unittest.mock import patch

import redis
from cryptography.fernet import Fernet, MultiFernet
from django.test import TestCase, override_settings
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from chat.connection import redis_client
from chat.sessions import encode
from chat.tests.base import World

RECORD = {"user": {"id": 7}}
PASSWORD = " kept as it is "


class SessionTests(World, TestCase):
    def setUp(self):
        super().setUp()
        for user in (self.anna, self.ben, self.dora):
            user.set_password(PASSWORD)
            user.save()
        self.client = APIClient(enforce_csrf_checks=True)
        self.redis = redis_client()
        self.addCleanup(lambda: self.redis.delete(*self.keys()) if self.keys() else None)

    def keys(self):
        return list(self.redis.scan_iter(f"*_{self.anna.pk}", count=1000))

    def log_in(self, client, user="anna", company=None, password=PASSWORD):
        company_id = (company or self.acme).pk
        return client.post("/login/", {"username": user, "password": password, "company_id": company_id}, format="json")

    def log_out(self):
        return self.client.post("/logout/", HTTP_X_CSRFTOKEN=self.client.cookies["csrftoken"].value)

    def key(self, answer):
        return base64.urlsafe_b64decode(answer.json()["token"])

    def test_login_writes_the_record_under_the_key_of_the_token(self):
        answer = self.log_in(self.client)
        self.assertEqual(answer.status_code, 200)
        key = self.key(answer).decode()
        self.assertEqual(key, f"{self.client.session.session_key}_{self.acme.pk}_{self.anna.pk}")
        self.assertEqual(json.loads(self.redis.get(key)), {
            "token_key": Token.objects.get(user=self.anna).key,
            "user": {"id": self.anna.pk, "username": "anna"},
            "company": {"id": self.acme.pk, "name": "Acme"},
        })
        self.assertTrue(86_300 < self.redis.ttl(key) <= 86_400)

    @override_settings(CHAT_ROOM_IDS_IN_SESSION=True)
    def test_the_record_names_the_rooms_where_the_settings_say_so(self):
        record = json.loads(self.redis.get(self.key(self.log_in(self.client))))
        self.assertEqual(record["room_ids"], [self.room.pk])

    def test_logout_deletes_the_record_and_announces_it(self):
        keys = [self.key(self.log_in(self.client, company=company)) for company in (self.acme, self.globex)]
        with self.redis.pubsub() as listener:
            listener.subscribe("chat:control")
            self.assertIsNotNone(listener.get_message(timeout=5))
            self.assertEqual(self.log_out().status_code, 200)
            heard = [json.loads(listener.get_message(timeout=5)["data"]) for _ in keys]
        self.assertCountEqual(heard, [{"type": "logout", "key": key.decode()} for key in keys])
        self.assertEqual(self.redis.exists(*keys), 0)

    def test_logout_needs_the_csrf_token(self):
        key = self.key(self.log_in(self.client))
        self.assertEqual(self.client.post("/logout/").status_code, 403)
        self.assertEqual(self.redis.exists(key), 1)

    def test_another_user_in_the_same_browser_ends_the_first_session(self):
        key = self.key(self.log_in(self.client))
        other = self.key(self.log_in(self.client, user="ben"))
        self.addCleanup(self.redis.delete, other)
        self.assertEqual((self.redis.exists(key), self.redis.exists(other)), (0, 1))

    def test_login_is_refused(self):
        self.assertEqual(self.log_in(self.client, password="wrong").status_code, 401)
        self.assertEqual(self.log_in(self.client, password=PASSWORD.strip()).json()["success"], False)
        self.assertEqual(self.log_in(self.client, user="dora").status_code, 403)
        self.assertEqual(self.keys(), [])

    def test_without_redis_nobody_is_logged_in_and_logout_still_works(self):
        self.log_in(self.client)
        with patch("chat.sessions.redis_client", return_value=redis.Redis(port=1)), self.assertLogs("chat"):
            self.assertEqual(self.log_in(APIClient()).status_code, 503)
            self.assertEqual(self.log_out().status_code, 200)
        self.assertNotIn("_auth_user_id", self.client.session)


class EncodingTests(TestCase):
    @override_settings(SESSION_ENCRYPTION="none")
    def test_none(self):
        self.assertEqual(json.loads(encode(RECORD)), RECORD)

    @override_settings(SESSION_ENCRYPTION="base64")
    def test_base64(self):
        self.assertEqual(json.loads(base64.b64decode(encode(RECORD), validate=True)), RECORD)

    def test_fernet_encrypts_with_the_newest_key_and_old_records_stay_readable(self):
        old, new = Fernet.generate_key(), Fernet.generate_key()
        with self.settings(SESSION_ENCRYPTION="fernet", FERNET_KEYS=[old]):
            before = encode(RECORD)
        with self.settings(SESSION_ENCRYPTION="fernet", FERNET_KEYS=[new, old]):
            after = encode(RECORD)
        reader = MultiFernet([Fernet(new), Fernet(old)])
        self.assertEqual([json.loads(reader.decrypt(value)) for value in (before, after)], [RECORD, RECORD])
        self.assertEqual(json.loads(Fernet(new).decrypt(after)), RECORD)
