from django.apps import AppConfig
from django.db.backends.signals import connection_created


def write_ahead(sender, connection, **kwargs):
    """In WAL mode a save does not wait for readers."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")


class QuantumConfig(AppConfig):
    name = "quantum"

    def ready(self):
        connection_created.connect(write_ahead)
