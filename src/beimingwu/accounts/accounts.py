"""All that concerns accounts, put together: `accounts.tokens`, `accounts.sessions` and so on."""

from __future__ import annotations

from beimingwu.accounts.passwords import Passwords
from beimingwu.accounts.rates import Rates
from beimingwu.accounts.sessions import Sessions
from beimingwu.accounts.tokens import Tokens
from beimingwu.config import Settings
from beimingwu.dock.database import Database


class Accounts:
    """The accounts of one dock.

    Parameters
    ----------
    database
        The dock's.
    settings
        Those in force when the server starts.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.passwords = Passwords()
        self.rates = Rates(settings)
        self.tokens = Tokens(database)
        self.sessions = Sessions(database, settings)
