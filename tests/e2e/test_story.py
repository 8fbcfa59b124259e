"""The demo's story, as a test: what `make demo` tells must hold."""

from pathlib import Path

from demo.people import is_running
from demo.run import Teller, people_in, tell


def test_the_main_job_from_founding_to_removal(tmp_path: Path) -> None:
    teller = Teller()
    with people_in(tmp_path) as people:
        tell(tmp_path, teller, people)
        pids = [person.pid for person in people]
    assert teller.checks >= 25
    assert not any(is_running(pid) for pid in pids)
