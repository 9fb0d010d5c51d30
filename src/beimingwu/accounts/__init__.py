"""Who may use a dock over the network: accounts, what signs them in, and how often they may ask."""

from beimingwu.accounts.accounts import Accounts
from beimingwu.accounts.records import OPERATOR, Account, Actor, Identity, Role, Scope

__all__ = ["OPERATOR", "Account", "Accounts", "Actor", "Identity", "Role", "Scope"]
