"""PostgreSQL, MariaDB and Redis on this machine, each with a folder and a port of its own, for as long as a test needs.

A server whose programs are not installed skips its tests; `.ci/run` installs them from Debian's packages where it may.
"""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PASSWORD = "geheim-17"


class Server:
    """A database server that can be stopped, killed and started again.

    Args:
        user: who runs it if the tests run as root
        programs: that it needs; the first one is the server
    """

    quit_by = signal.SIGTERM

    def __init__(self, user: str, *programs: str) -> None:
        self._programs = {name: _found(name) for name in programs}
        missing = [name for name, path in self._programs.items() if path is None]
        if missing:
            pytest.skip(f"{', '.join(missing)} is not installed")
        self._as = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
        self.folder = Path(tempfile.mkdtemp(prefix="lenet-search-"))  # pytest's own folders are closed to other users
        if self._as:
            shutil.chown(self.folder, user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = [*self._as, str(next(iter(self._programs.values()))), *self.arguments()]
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        with log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + 60
        while not self.answers():
            assert self._process.poll() is None, Path(log.name).read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """Stop it in order, or kill it."""
        if self._process is None:
            return
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL if kill else self.quit_by)
        self._process.wait(30)
        self._process = None

    def close(self) -> None:
        """Stop it, and remove its files."""
        self.stop(kill=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder.parent / f"{self.folder.name}.log").unlink(missing_ok=True)

    def pids(self) -> list[int]:
        """The server itself, below `runuser`."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text().split()[:1]] if self._as else [self._process.pid]

    def arguments(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def new(self) -> str:
        """The URL of an empty storage on it."""
        raise NotImplementedError

    def _run(self, program: str, *arguments: str) -> None:
        made = subprocess.run(
            [*self._as, str(self._programs[program]), *arguments], capture_output=True, text=True, cwd="/", check=False
        )
        assert made.returncode == 0, made.stdout + made.stderr


class PostgreSQL(Server):
    quit_by = signal.SIGINT  # "fast": does not wait for clients

    def __init__(self) -> None:
        super().__init__("postgres", "postgres", "initdb")
        pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", str(self.folder / "d"), "-U", "bob", f"--pwfile={secret}", "-A", "scram-sha-256",
                  "--no-sync", "--no-locale", "-E", "UTF8")  # fmt: skip
        self._count = 0

    def arguments(self) -> list[str]:
        settings = {"fsync": "off", "max_connections": "60", "unix_socket_directories": str(self.folder)}
        return ["-D", str(self.folder / "d"), "-h", "127.0.0.1", "-p", str(self.port),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))]  # fmt: skip

    def connect(self, database: str = "postgres"):
        import psycopg2

        return psycopg2.connect(host="127.0.0.1", port=self.port, user="bob", password=PASSWORD, dbname=database)

    def answers(self) -> bool:
        import psycopg2

        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def new(self) -> str:
        self._count += 1
        connection = self.connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE hpo{self._count}")
        connection.close()
        return f"postgresql+psycopg2://bob:{PASSWORD}@127.0.0.1:{self.port}/hpo{self._count}"


class MariaDB(Server):
    def __init__(self) -> None:
        super().__init__("mysql", "mariadbd", "mariadb-install-db")
        pytest.importorskip("pymysql", reason="PyMySQL is not installed")
        self._run("mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'd'}", "--skip-test-db",
                  "--auth-root-authentication-method=normal", f"--tmpdir={self.folder}")  # fmt: skip
        self._count = 0

    def arguments(self) -> list[str]:
        return ["--no-defaults", f"--datadir={self.folder / 'd'}", f"--port={self.port}", "--bind-address=127.0.0.1",
                f"--socket={self.folder / 's'}", f"--pid-file={self.folder / 'pid'}", f"--tmpdir={self.folder}",
                "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=16M"]  # fmt: skip

    def connect(self):
        import pymysql

        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", unix_socket=str(self.folder / "s"))

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                return bool(connection.recv(1))  # PyMySQL would leave its socket open
        except OSError:
            return False

    def new(self) -> str:
        self._count += 1
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE hpo{self._count} CHARACTER SET utf8mb4")
            cursor.execute(f"GRANT ALL ON *.* TO 'bob'@'%' IDENTIFIED BY '{PASSWORD}'")
        return f"mysql+pymysql://bob:{PASSWORD}@127.0.0.1:{self.port}/hpo{self._count}"


class Redis(Server):
    def __init__(self) -> None:
        super().__init__("redis", "redis-server")
        pytest.importorskip("redis", reason="redis is not installed")

    def arguments(self) -> list[str]:
        return ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
                "--appendonly", "yes", "--appendfsync", "always", "--requirepass", PASSWORD]  # fmt: skip

    def connect(self):
        import redis

        return redis.Redis(port=self.port, password=PASSWORD)

    def answers(self) -> bool:
        import redis

        try:
            with self.connect() as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False

    def new(self) -> str:
        with self.connect() as client:
            client.flushdb()
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"


SERVERS: dict[str, Callable[[], Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB, "redis": Redis}


def _found(program: str) -> str | None:
    """Debian keeps PostgreSQL's programs out of the path; all of them must be of one version."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)[:1]
    return shutil.which(program, path=os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin"]))
