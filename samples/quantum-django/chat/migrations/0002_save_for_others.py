from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("chat", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="message",
            options={"permissions": [("save_for_others", "Can save messages in the name of every user")]},
        ),
    ]
