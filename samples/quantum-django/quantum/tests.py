import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from django.test import SimpleTestCase

from quantum.environment import read_environment, words


class EnvironmentTests(SimpleTestCase):
    def read(self, text, **environment):
        with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, environment, clear=True):
            path = Path(folder, ".env")
            path.write_text(text, encoding="utf-8")
            return read_environment(path)

    def test_the_environment_wins_over_the_file(self):
        values = self.read("REDIS_HOST=file\nREDIS_PORT=1\n", REDIS_HOST="environment")
        self.assertEqual(values, {"REDIS_HOST": "environment", "REDIS_PORT": "1"})

    def test_comments_quotes_and_odd_lines(self):
        values = self.read("# A=0\n#B=0\nexport C = 1 \nD='a b'\nE=\"x=y#z\"\nF=\nno setting\n")
        self.assertEqual(values, {"C": "1", "D": "a b", "E": "x=y#z"})

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self):
        self.assertEqual(self.read("\ufeffREDIS_HOST=a\n"), {"REDIS_HOST": "a"})

    def test_blank_counts_as_not_set(self):
        values = self.read("REDIS_PORT=\nREDIS_HOST=' '\nA=1\nB=2\n", A="")
        self.assertEqual(values, {"B": "2"})

    def test_the_file_may_be_missing(self):
        with patch.dict(os.environ, {"A": "1"}, clear=True):
            self.assertEqual(read_environment("/nowhere/.env"), {"A": "1"})

    def test_words(self):
        self.assertEqual(words(" a, ,b:8001,"), ["a", "b:8001"])
