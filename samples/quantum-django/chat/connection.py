"""The one Redis client of this process: thread-safe, connects at the first use, gives up instead of hanging."""
from functools import lru_cache

import redis
from django.conf import settings


@lru_cache(maxsize=None)
def redis_client():
    return redis.Redis(
        host=settings.REDIS_HOST,
        port=settings.REDIS_PORT,
        username=settings.REDIS_USER or None,
        password=settings.REDIS_PASSWORD or None,
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=30,
    )
