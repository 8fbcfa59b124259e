"""Each test gets a home that is empty, and a runtime folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.local.fake_node import short_runtime_folder


@pytest.fixture(autouse=True)
def runtime_folder() -> Iterator[Path]:
    with short_runtime_folder() as folder:
        yield folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
