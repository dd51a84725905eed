"""The sample's settings. What ChatServer needs to agree with is named as in ChatServer's own `.env`."""
import re
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from quantum.environment import read_environment, words

env = read_environment()

DEBUG = env.get("DJANGO_DEBUG", "true") == "true"
SECRET_KEY = env.get("DJANGO_SECRET_KEY") or ("only for trying out" if DEBUG else "")
TIME_ZONE = env.get("TIME_ZONE", "UTC")
USE_TZ = True

# Shared with ChatServer: where Redis is, and how a session record is stored in it.
REDIS_HOST = env.get("REDIS_HOST", "127.0.0.1")
REDIS_PORT = int(env.get("REDIS_PORT", "6379"))
REDIS_USER = env.get("REDIS_USER", "")
REDIS_PASSWORD = env.get("REDIS_PASSWORD", "")
SESSION_ENCRYPTION = env.get("SESSION_ENCRYPTION", "none")
FERNET_KEYS = words(env.get("FERNET_KEYS", ""))
# Names the rooms in the session record; ChatServer then asks no more, until the next login.
CHAT_ROOM_IDS_IN_SESSION = env.get("CHAT_ROOM_IDS_IN_SESSION", "false") == "true"

if SESSION_ENCRYPTION not in ("none", "base64", "fernet"):
    raise ImproperlyConfigured("SESSION_ENCRYPTION is none, base64 or fernet.")
if SESSION_ENCRYPTION == "fernet" and not FERNET_KEYS:
    raise ImproperlyConfigured("SESSION_ENCRYPTION=fernet needs FERNET_KEYS.")

# ChatServer's ALLOWED_HOSTS may carry ports, Django's may not. ChatServer calls QUANTUM_SERVER_URL: a host that is missing
# here would be answered 400, which is a final refusal.
ALLOWED_HOSTS = [re.sub(r":\d+$", "", host) for host in words(env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]"))]
if env.get("QUANTUM_SERVER_URL"):
    ALLOWED_HOSTS.append(urlsplit(env["QUANTUM_SERVER_URL"]).hostname)

# The lifetime of a login, and so of its session record in Redis.
SESSION_COOKIE_AGE = int(env.get("SESSION_COOKIE_AGE", "86400"))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework.authtoken",
    "quantum.apps.QuantumConfig",
    "chat.apps.ChatConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "quantum.urls"
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

DATA = Path(env.get("DATABASE_FILE", "quantum.sqlite3")).absolute()
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(DATA),
        # A save waits this many seconds for another one to finish: less than ChatServer's QUANTUM_TIMEOUT.
        "OPTIONS": {"timeout": 8},
        # A file and not the memory: the tests save from several threads.
        "TEST": {"NAME": str(DATA.with_name("test-" + DATA.name))},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = env.get("MEDIA_ROOT", str(DATA.with_name("media")))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"chat": {"handlers": ["console"], "level": "INFO"}},
}
