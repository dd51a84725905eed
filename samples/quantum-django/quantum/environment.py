"""The settings of the process: the environment, and below it the `.env` file that ChatServer reads too."""
import os
import re
from pathlib import Path

LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")


def read_environment(path=".env"):
    """A dictionary of all settings; the environment wins over the file, which may be missing; a blank one is not set."""
    values = {}
    file = Path(path)
    for line in file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else ():
        match = LINE.match(line)
        if match:
            name, value = match.groups()
            values[name] = value[1:-1] if re.fullmatch(r"'.*'|\".*\"", value) else value
    return {name: value for name, value in {**values, **os.environ}.items() if value.strip()}


def words(text):
    """The parts of a comma-separated setting."""
    return [word.strip() for word in text.split(",") if word.strip()]
