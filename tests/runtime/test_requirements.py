"""requirements.txt into one normal form: what passes, what is refused, and how it is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.errors import InvalidArchive
from beimingwu.learnware.archive import Requirements
from beimingwu.runtime.requirements import MAX_PACKAGES, normalise


def read(text: str) -> list[str]:
    return normalise(Requirements("requirements.txt", text)).text.splitlines()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("-e .", "editable"),
        ("--editable=git+ssh://host/x", "editable"),
        ("-r other.txt", "included_file"),
        ("-rother.txt", "included_file"),
        ("-c pins.txt", "included_file"),
        ("--index-url https://evil.example/simple", "index_option"),
        ("-ihttps://evil.example/simple", "index_option"),
        ("--extra-index-url=https://evil.example", "index_option"),
        ("-f ./wheels", "index_option"),
        ("--trusted-host evil.example", "index_option"),
        ("--no-binary :all:", "option"),
        ("--config-settings x=y", "option"),
        ("numpy --config-settings=x=y", "option"),
        ("git+https://host/repository.git", "vcs"),
        ("thing @ git+https://host/repository.git", "vcs"),
        ("https://host/thing-1.0-py3-none-any.whl", "url"),
        ("thing @ https://host/thing.zip", "url"),
        ("thing @ file:///etc/passwd", "url"),
        ("./thing", "path"),
        ("../../thing.whl", "path"),
        ("thing-1.0.tar.gz", "path"),
        ("C:\\thing", "path"),
        ("thing==${VERSION}", "variable"),
        ("x;cmd${IFS}arg", "variable"),
        ("x;cmd arg", "syntax"),
        ("numpy=1.2", "syntax"),
        ("two words", "syntax"),
    ],
)
def test_whatever_is_no_named_package_is_refused_with_its_line_and_a_code_of_its_own(line, kind):
    with pytest.raises(InvalidArchive) as caught:
        read(f"numpy\n{line}\n")
    assert caught.value.code == f"requirements.{kind}"
    assert f"`{line}`" in caught.value.problem
    assert caught.value.remedy


@pytest.mark.parametrize(
    "line",
    ["numpy; " + "(" * 900 + "os_name == 'posix'" + ")" * 900, "numpy==" + "9" * 5_000],
)
def test_a_line_that_no_parser_should_meet_is_refused_and_shown_in_part(line):
    with pytest.raises(InvalidArchive) as caught:
        read(f"numpy\n{line}\n")
    assert caught.value.code == "requirements.syntax"
    assert len(caught.value.problem) < 500


def test_names_are_normalised_and_comments_blanks_and_continuations_read_as_pip_does():
    text = "# what it needs\n\nScikit_Learn[Extra] >= 1.2 , <2  # fitted\r\nscipy \\\n  ==1.11\n"
    assert read(text) == ["scikit-learn[Extra]<2,>=1.2", "scipy==1.11", "numpy"]


def test_markers_are_kept_for_the_interpreter_that_will_be_used():
    assert read('pywin32; sys_platform == "win32"')[0] == 'pywin32; sys_platform == "win32"'


def test_numpy_is_added_where_it_is_not_sure_to_be_there():
    assert read("") == ["numpy"]
    assert read("numpy==1.26.4") == ["numpy==1.26.4"]
    assert read('numpy<2; python_version < "3.9"')[1] == "numpy"


def test_the_engine_is_left_out_with_a_note_since_every_learnware_is_given_it():
    request = normalise(Requirements("requirements.txt", "learnware==0.3.2.post2\nscipy"))
    assert "learnware" not in request.text
    assert any("`learnware==0.3.2.post2` is left out" in note for note in request.notes)


def test_a_build_that_no_index_has_becomes_its_version_with_a_note():
    request = normalise(Requirements("requirements.txt", "torch==2.1.0+cu118\nnumpy"))
    assert request.text.splitlines()[0] == "torch==2.1.0"
    assert any("cu118" in note for note in request.notes)


def test_hashes_of_the_owner_give_way_to_those_of_the_lock_with_a_note():
    request = normalise(Requirements("requirements.txt", "six==1.16.0 \\\n --hash=sha256:00\n"))
    assert request.text.splitlines()[0] == "six==1.16.0"
    assert any("hashes of `six==1.16.0`" in note for note in request.notes)


def test_options_that_change_nothing_are_passed_over():
    assert read("--only-binary :all:\n--require-hashes\nsix") == ["six", "numpy"]


def test_more_packages_than_any_model_needs_are_refused():
    with pytest.raises(InvalidArchive, match=str(MAX_PACKAGES)) as caught:
        read("\n".join(f"package-{n}" for n in range(MAX_PACKAGES + 1)))
    assert caught.value.code == "requirements.too_many"


def test_the_normal_form_read_again_is_itself():
    once = read('b>=2\nA[x]==1.*; python_version>"3"\nnumpy~=1.2')
    assert read("\n".join(once)) == once


@given(st.text(max_size=200) | st.text(alphabet="-nump y=<>@./:;#\\\n[]'\"${}", max_size=60))
def test_any_text_is_read_into_named_packages_or_refused(text: str):
    try:
        request = normalise(Requirements("requirements.txt", text))
    except InvalidArchive as refused:
        assert refused.code.startswith("requirements.")
        assert refused.remedy
        return
    for line in request.text.splitlines():
        assert line[0].isalnum()
        assert "@" not in line.partition(";")[0]
        assert "${" not in line
