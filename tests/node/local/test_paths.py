"""Where the socket is, and whom its folders are closed to."""

import os
import socket
from pathlib import Path

import pytest

from mesh.node.local.paths import (
    SOCKET_PATH_BYTES_MAX,
    SocketPathTooLong,
    UnsafeFolder,
    check_folder,
    home_tag,
    prepare_folder,
    socket_path,
    where_to_look,
)


def test_the_socket_lies_in_the_runtime_folder_under_the_homes_eight_digits(
    runtime_folder: Path, tmp_path: Path
) -> None:
    tag = home_tag(tmp_path)
    assert len(tag) == 8
    assert int(tag, 16) >= 0
    assert socket_path(tmp_path) == runtime_folder / "support-mesh" / tag / "api.sock"


def test_one_home_has_one_tag_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    monkeypatch.chdir(tmp_path)
    assert home_tag(home) == home_tag(tmp_path / "link") == home_tag(Path("home")) == home_tag(home / "." / "")
    assert home_tag(home) != home_tag(tmp_path)


@pytest.mark.parametrize("runtime", ["", "relative", "/no/such/folder"])
def test_without_a_runtime_folder_it_lies_under_the_temporary_one(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime_folder: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setenv("TMPDIR", str(runtime_folder))
    expected = runtime_folder / f"support-mesh-{os.geteuid()}" / home_tag(tmp_path) / "api.sock"
    assert socket_path(tmp_path) == expected


def test_another_accounts_runtime_folder_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime_folder: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert runtime_folder not in socket_path(tmp_path).parents


def test_a_place_with_a_long_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    monkeypatch.setenv("TMPDIR", str(deep))
    assert len(os.fsencode(socket_path(tmp_path))) <= SOCKET_PATH_BYTES_MAX
    assert all(len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX for path in where_to_look(tmp_path))


def test_if_every_place_is_too_long_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.node.local.paths.SOCKET_PATH_BYTES_MAX", 10)
    with pytest.raises(SocketPathTooLong):
        socket_path(tmp_path)


def test_a_command_looks_where_a_node_with_another_environment_would_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime_folder: Path
) -> None:
    with_runtime = socket_path(tmp_path)
    monkeypatch.setenv("TMPDIR", str(runtime_folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    without = socket_path(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime_folder))
    assert {with_runtime, without} <= set(where_to_look(tmp_path))


# ---------------------------------------------------------------- folders


def test_the_folders_are_made_closed_to_others(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    before = os.umask(0)
    try:
        prepare_folder(path)
        prepare_folder(path)
    finally:
        os.umask(before)
    for folder in (path.parent, path.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("mode", [0o750, 0o705, 0o711, 0o770])
def test_a_folder_that_others_can_open_is_refused(tmp_path: Path, level: int, mode: int) -> None:
    path = socket_path(tmp_path)
    prepare_folder(path)
    folder = path.parents[level]
    folder.chmod(mode)
    for check in (check_folder, prepare_folder):
        with pytest.raises(UnsafeFolder, match=str(folder)):
            check(path)


@pytest.mark.parametrize("level", [0, 1])
def test_a_folder_of_another_account_is_refused(tmp_path: Path, level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = socket_path(tmp_path)
    prepare_folder(path)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(UnsafeFolder, match="another account"):
        check_folder(path)


@pytest.mark.parametrize("level", [0, 1])
def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path, level: int) -> None:
    path = socket_path(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder = path.parents[level]
    if level == 0:
        folder.parent.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)
    for check in (check_folder, prepare_folder):
        with pytest.raises(UnsafeFolder, match="not a folder"):
            check(path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, runtime_folder: Path) -> None:
    (runtime_folder / "support-mesh").write_text("a file is in the way")
    with pytest.raises(UnsafeFolder):
        prepare_folder(socket_path(tmp_path))


def test_the_longest_path_that_we_use_can_be_bound(runtime_folder: Path) -> None:
    path = str(runtime_folder / "s").ljust(SOCKET_PATH_BYTES_MAX, "s")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path)
