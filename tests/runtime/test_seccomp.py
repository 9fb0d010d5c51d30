"""The filter program means what the rules say: it is run here, instruction by instruction."""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.runtime import seccomp
from beimingwu.runtime.seccomp import DOORS, FORKING, NEIGHBOURS, Only, Refusal, assemble

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
EVERYTHING = (*DOORS, *FORKING, *NEIGHBOURS)
ALLOW, KILL = 0x7FFF0000, 0x80000000


def verdict(
    program: bytes, machine: str, number: int, arguments: tuple[int, ...] = (0,) * 6
) -> int:
    """Run a program as the kernel does."""
    data = struct.pack("<IIQ6Q", number, ARCHITECTURES[machine], 0, *arguments)
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator, at = 0, 0
    while True:
        code, yes, no, value = instructions[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[code]
            at += yes if holds else no


def refused_with(answer: int) -> int | None:
    return answer & 0xFFFF if answer & 0xFFFF0000 == 0x00050000 else None


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_every_number_of_the_table_is_the_systems(machine: str) -> None:
    name = ctypes.util.find_library("seccomp")
    if name is None:
        pytest.skip("libseccomp, to compare with, is not installed")
    library = ctypes.CDLL(name)
    newer = {"statmount", "listmount", "fchmodat2"}  # Than some copies of the library.
    for call in {refusal.call for refusal in EVERYTHING} - newer:
        theirs = library.seccomp_syscall_resolve_name_arch(
            ctypes.c_uint32(ARCHITECTURES[machine]), call.encode()
        )
        assert seccomp.number_of(call, machine) == (theirs if theirs >= 0 else None), call


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_exactly_the_calls_of_the_rules_are_refused(machine: str) -> None:
    refusals = [refusal for refusal in EVERYTHING if refusal.only is None]
    program = assemble(refusals, machine)
    wanted = {seccomp.number_of(refusal.call, machine): refusal.error for refusal in refusals}
    for number in range(seccomp.FIRST_UNKNOWN):
        answer = verdict(program, machine, number)
        assert refused_with(answer) == wanted.get(number), number
        assert number in wanted or answer == ALLOW


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_calls_that_the_table_does_not_know_do_not_exist(machine: str) -> None:
    program = assemble(EVERYTHING, machine)
    x32 = 0x40000000  # The same calls by other numbers, on x86-64.
    for number in (seccomp.FIRST_UNKNOWN, 600, x32, x32 + 101, 0xFFFFFFFF):
        assert refused_with(verdict(program, machine, number)) == errno.ENOSYS


def test_a_call_by_another_machines_convention_ends_the_process() -> None:
    assert verdict(assemble(EVERYTHING, "x86_64"), "aarch64", 0) == KILL


TESTS = {
    "is": lambda value, values: value in values,
    "is not": lambda value, values: value not in values,
    "has": lambda value, values: bool(value & values[0]),
    "lacks": lambda value, values: not value & values[0],
}
words = st.integers(0, 0xFFFFFFFF)


@given(
    test=st.sampled_from(sorted(TESTS)),
    argument=st.integers(0, 5),
    values=st.lists(words, min_size=1, max_size=4),
    given_value=words,
    high=words,
    data=st.data(),
)
def test_a_condition_holds_for_the_values_it_names(
    test: str,
    argument: int,
    values: list[int],
    given_value: int,
    high: int,
    data: st.DataObject,
) -> None:
    value = data.draw(st.sampled_from([given_value, *values]))
    rule = Refusal("kill", errno.EACCES, Only(argument, test, tuple(values)))
    program = assemble([rule, Refusal("ptrace")], "x86_64")
    arguments = [0] * 6
    arguments[argument] = high << 32 | value  # The kernel reads an int: its low half.
    answer = verdict(program, "x86_64", 62, tuple(arguments))
    assert refused_with(answer) == (errno.EACCES if TESTS[test](value, values) else None)
    # What follows the condition still knows the number of the call.
    assert refused_with(verdict(program, "x86_64", 101, tuple(arguments))) == errno.EPERM


def test_no_file_is_held_back_from_those_who_would_open_it() -> None:
    program = assemble(DOORS, "x86_64")
    fcntl = seccomp.number_of("fcntl", "x86_64") or 0
    set_lease, notify, get_flags, duplicate = 1024, 1026, 3, 1030

    def answer(command: int) -> int:
        return verdict(program, "x86_64", fcntl, (5, command, 1, 0, 0, 0))

    assert refused_with(answer(set_lease)) == errno.EPERM
    assert refused_with(answer(notify)) == errno.EPERM
    assert answer(get_flags) == answer(duplicate) == ALLOW


def test_threads_are_let_through_and_processes_and_namespaces_are_not() -> None:
    program = assemble([*DOORS, *FORKING], "x86_64")
    clone = seccomp.number_of("clone", "x86_64") or 0
    thread, process, user_namespace = 0x3D0F00, 0x01200011, 0x10000000

    def answer(flags: int) -> int:
        return verdict(program, "x86_64", clone, (flags, 0, 0, 0, 0, 0))

    assert answer(thread) == ALLOW
    assert refused_with(answer(process)) == errno.EPERM
    assert refused_with(answer(thread | user_namespace)) == errno.EPERM


def test_a_program_fits_the_kernel() -> None:
    for machine, rules in itertools.product(ARCHITECTURES, [DOORS, EVERYTHING]):
        assert len(assemble(rules, machine)) // 8 < 4096
