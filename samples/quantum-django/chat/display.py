"""Times as ChatServer passes them on: exact in UTC for programs, and in words for people, in Quantum's own time zone."""
import datetime

from django.utils import timezone


def iso_utc(moment):
    return moment.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def display_date(moment):
    today = timezone.localdate()
    day = timezone.localdate(moment)
    if day == today:
        return "Today"
    return "Yesterday" if day == today - datetime.timedelta(days=1) else day.strftime("%d %B %Y")


def display_time(moment):
    return timezone.localtime(moment).strftime("%I:%M %p")
