"""E-mail addresses and names of people: one form for each, and who may register."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

from beimingwu.errors import Forbidden, InvalidInput

# What mail systems accept in practice, without quotes and comments; `localhost` is a domain too.
EMAIL = (
    r"^(?=.{3,254}$)(?=.{1,64}@)"
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"
)
SHORTEST_NAME, LONGEST_NAME = 2, 50
# Controls, formats such as the turn of direction, halves of pairs, private and unassigned ones.
_NOT_IN_NAMES = ("C", "Zl", "Zp")


def normal_email(text: str) -> str:
    """Return an e-mail address in the one form that it is kept in.

    Raises
    ------
    InvalidInput
        It is none.

    Examples
    --------
    >>> normal_email(" Ada@Example.org ")
    'ada@example.org'
    """
    email = text.strip().lower()
    if not re.fullmatch(EMAIL, email):
        raise InvalidInput(
            f"{text[:254]!r} is no e-mail address.",
            remedy="Give one such as ada@example.org.",
            code="input.email",
        )
    return email


def require_allowed(email: str, allowed: str) -> None:
    """Refuse an e-mail address that the setting `email_allow` does not name.

    Raises
    ------
    Forbidden
        It does not.

    Examples
    --------
    >>> require_allowed("ada@cs.example.org", "example.com .example.org")
    >>> require_allowed("ada@example.org.evil.net", "example.org")
    Traceback (most recent call last):
    beimingwu.errors.Forbidden: Accounts of this dock are for certain e-mail addresses only.
    Register with an address of your institution, or ask who runs this dock.
    """
    domain = email.rpartition("@")[2]
    for entry in allowed.lower().replace(",", " ").split():
        beneath = entry.startswith(".") and f".{domain}".endswith(entry)
        if entry in (email, domain, f"@{domain}") or beneath:
            return
    if allowed.strip(" ,"):
        raise Forbidden(
            "Accounts of this dock are for certain e-mail addresses only.",
            remedy="Register with an address of your institution, or ask who runs this dock.",
            code="forbidden.email",
        )


def normal_name(text: str) -> str:
    """Return a person's name as it is shown.

    Raises
    ------
    InvalidInput
        It is too short, too long, or would deceive the eye.

    Examples
    --------
    >>> normal_name("  Ada   Lovelace ")
    'Ada Lovelace'
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    visible = not any(unicodedata.category(letter).startswith(_NOT_IN_NAMES) for letter in name)
    if not visible or not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        raise InvalidInput(
            f"A name has {SHORTEST_NAME} to {LONGEST_NAME} visible characters.",
            remedy="Choose a name that others can read.",
            code="input.name",
        )
    return name


def name_key(name: str) -> str:
    """Return the form of a name in which two names are the same.

    Examples
    --------
    >>> name_key("Ada Lovelace") == name_key("ada lovelace")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def network_of(address: str) -> str:
    """Return what of an address is one person's: an IPv4 address, the /64 of an IPv6 address.

    Examples
    --------
    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2"), network_of("testclient")
    ('192.0.2.7', '2001:db8::/64', 'testclient')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network(f"{found}/64", strict=False))
    return str(found)
