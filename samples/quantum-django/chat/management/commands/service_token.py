"""ChatServer's own account, which may save for everybody, and its token: the value of QUANTUM_SERVICE_TOKEN. Nobody can log in
with it. Running it again prints the same token; `drf_create_token -r` gives the account another one."""
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rest_framework.authtoken.models import Token


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--username", default="chatserver", help="of the account (default: chatserver)")

    @transaction.atomic
    def handle(self, *args, username, **options):
        permission = Permission.objects.get(content_type__app_label="chat", codename="save_for_others")
        user, is_new = get_user_model().objects.get_or_create(username=username)
        if is_new:
            user.set_unusable_password()
            user.save()
            user.user_permissions.add(permission)
        elif not user.user_permissions.filter(pk=permission.pk).exists():  # somebody may have signed up under that name
            raise CommandError(f"{username} is somebody's account: name another one with --username.")
        self.stdout.write(Token.objects.get_or_create(user=user)[0].key)
