"""The address of a storage: which one is meant, which files belong to it, and what of it may be shown."""

import os
import re
import shlex
from pathlib import Path
from urllib.parse import unquote

DEFAULT_STORAGE = "lenet-search.journal"
VARIABLE = "LENET_SEARCH_STORAGE"
HIDDEN = "***"
HOW_TO_GIVE_THE_PASSWORD = f"{HIDDEN} stands for the password; {VARIABLE} can hold the whole address"
# Parameters of drivers that carry a secret: password, sslpassword, passwd, an ODBC connection string
SECRET = re.compile(r"pass|pwd|secret|token|odbc_connect", re.IGNORECASE)
HOST = re.compile(r"(\[[^]]*\]|[^:/@]*)(:\d*)?(/.*)?")


def resolve(url: str | None) -> str:
    """The storage to use: `url`, else the environment's LENET_SEARCH_STORAGE, else a journal in this folder."""
    return url or os.environ.get(VARIABLE) or DEFAULT_STORAGE


def file_of(url: str) -> Path | None:
    """The file behind a journal path or an SQLite URL; None for servers and for databases in memory."""
    if "://" not in url:
        return Path(url)
    match = re.fullmatch(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?", url)
    return Path(match[1]) if match and match[1] != ":memory:" else None


def artifact_folder(url: str) -> Path:
    """Where weights go: beside a storage that is a file ("x.journal" -> "x-artifacts"), else in this folder.

    A symbolic link is followed, so that a storage has one such folder, whatever name leads to it.
    """
    file = file_of(url)
    if file is None:
        return Path("lenet-search-artifacts")
    file = file.resolve() if file.is_symlink() else file
    return file.with_name(f"{file.stem}-artifacts")


def shown(url: str) -> str:
    """An address as it may be printed: without its password, wherever in the address that is."""
    return _split(url)[0]


def without_password(text: str, url: str) -> str:
    """A text, such as a driver's message, without the passwords of an address."""
    text = text.replace(url, shown(url))
    for secret in _split(url)[1]:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return text


def dashboard_command(url: str) -> str:
    """The command that shows this storage in a browser, ready for a shell. A password is left to the environment."""
    given = os.environ.get(VARIABLE, "")
    address = shlex.quote(shown(url))
    if HIDDEN in address and shown(given) == shown(url):
        address = f'"${VARIABLE}"'
    return f"optuna-dashboard {address} --artifact-dir {shlex.quote(str(artifact_folder(url)))}"


def _split(url: str) -> tuple[str, set[str]]:
    """An address without its passwords, and these, as they were written and decoded."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url, set()
    secrets: set[str] = set()
    place, question, query = rest.partition("?")
    if "@" not in place and "@" in query and not HOST.fullmatch(place):  # a password with an unescaped "?"
        place, question, query = rest, "", ""
    user, at, host = place.rpartition("@")  # the last one: "@" and "/" may stand unescaped in a password
    name, colon, password = user.partition(":")
    if colon and password:
        secrets |= {password, unquote(password)}
        secrets |= {part for part in re.split(r"[@/:?#]", password) if len(part) > 1}  # as a driver may split it
        place = f"{name}:{HIDDEN}{at}{host}"
    parts = query.split("&")
    for i, part in enumerate(parts):
        key, equals, value = part.partition("=")
        if value and SECRET.search(unquote(key)):
            secrets |= {value, unquote(value)}
            parts[i] = f"{key}{equals}{HIDDEN}"
    return f"{scheme}{mark}{place}{question}{'&'.join(parts)}", secrets - {HIDDEN}
