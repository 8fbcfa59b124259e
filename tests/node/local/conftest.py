"""Each test gets a runtime folder of its own, short enough for sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.local.fake_node import short_runtime_folder


@pytest.fixture(autouse=True)
def runtime_folder() -> Iterator[Path]:
    with short_runtime_folder() as folder:
        yield folder
