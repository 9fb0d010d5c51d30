"""Passwords: one hash for each, the forms of two protocols, and nothing kept in the clear."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.accounts.passwords import Passwords, check_password, md5_of
from beimingwu.errors import InvalidInput, Unavailable

PASSWORDS = Passwords()


def test_equal_passwords_have_different_hashes_of_argon2id() -> None:
    one, other = PASSWORDS.hash("correct horse"), PASSWORDS.hash("correct horse")
    assert one != other
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_that_came_as_md5_is_known_again_in_both_forms() -> None:
    stored = PASSWORDS.hash(md5_of("correct horse"), "md5")
    assert PASSWORDS.verify(stored, md5_of("correct horse"), "md5")
    assert PASSWORDS.verify(stored, "correct horse")
    assert not PASSWORDS.verify(stored, md5_of("correct horse"))
    assert not PASSWORDS.verify(stored, "correct horse", "md5")


def test_the_md5_of_a_typed_password_does_not_open_its_account() -> None:
    stored = PASSWORDS.hash("correct horse")
    assert not PASSWORDS.verify(stored, md5_of("correct horse"), "md5")
    # Nor does the password itself, called an MD5.
    assert not PASSWORDS.verify(stored, "correct horse", "md5")


def test_a_hash_made_with_less_work_is_renewed_in_its_form() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    plain, old = weak.hash("correct horse"), f"md5:{weak.hash(md5_of('correct horse'))}"
    for stored, form in ((plain, "plain"), (old, "md5")):
        given_as = "correct horse" if form == "plain" else md5_of("correct horse")
        renewed = PASSWORDS.renewed(stored, given_as, form)
        assert renewed is not None
        assert PASSWORDS.verify(renewed, "correct horse")
        assert PASSWORDS.renewed(renewed, given_as, form) is None
    typed = PASSWORDS.renewed(old, "correct horse")
    assert typed is not None
    assert PASSWORDS.verify(typed, md5_of("correct horse"), "md5")


@pytest.mark.parametrize("stored", ["", "nonsense", "md5:", "$argon2id$v=19$m=8"])
def test_what_is_no_hash_verifies_nothing(stored: str) -> None:
    assert not PASSWORDS.verify(stored, "")


def test_who_has_no_account_is_verified_against_a_whole_hash_as_much_work_as_any() -> None:
    hasher = PasswordHasher()
    nobody = Passwords(hasher)._nobody
    # What could not be read as a hash would end another way, and sooner.
    with pytest.raises(VerifyMismatchError):
        hasher.verify(nobody, "correct horse")
    assert not hasher.check_needs_rehash(nobody)


@pytest.mark.parametrize("length", [0, 9, 257])
def test_a_password_of_a_wrong_length_is_refused_without_being_repeated(length: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password("x" * length)
    assert refused.value.code == "input.password"
    assert "xx" not in str(refused.value)


@given(st.text())
def test_the_old_pages_md5_has_32_digits_whatever_is_typed(password: str) -> None:
    assert len(md5_of(password)) == 32


def test_a_lone_half_of_a_surrogate_pair_is_a_password_like_any_other() -> None:
    stored = PASSWORDS.hash("correct horse \ud83d")
    assert PASSWORDS.verify(stored, "correct horse \ud83d")
    assert not PASSWORDS.verify(stored, "correct horse \ud83e")


def test_however_many_sign_in_at_once_only_so_many_threads_wait_for_it() -> None:
    passwords = Passwords()

    def attempt(n: int) -> str:
        try:
            return passwords.hash("correct horse")
        except Unavailable as error:
            return error.code

    with ThreadPoolExecutor(40) as pool:
        made = list(pool.map(attempt, range(40)))
    assert 18 <= sum(one.startswith("$argon2id") for one in made) < 40
    assert "unavailable.passwords" in made
    assert passwords.verify(passwords.hash("correct horse"), "correct horse")
