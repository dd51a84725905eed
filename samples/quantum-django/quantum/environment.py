"""The settings of the process: the environment, and below it the `.env` file that ChatServer reads too."""
import os
import re
from pathlib import Path

LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")


def read_environment(path=".env"):
    """A dictionary of all settings; the environment wins over the file, and the file may be missing."""
    values = {}
    file = Path(path)
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        match = LINE.match(line)
        if match:
            name, value = match.groups()
            values[name] = value[1:-1] if re.fullmatch(r"'.*'|\".*\"", value) else value
    return {**values, **os.environ}


def words(text):
    """The parts of a comma-separated setting."""
    return [word.strip() for word in text.split(",") if word.strip()]
