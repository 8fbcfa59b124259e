"""A week of a support group, lived on real nodes: what is printed is what `docs/a-week.md` shows."""

from pathlib import Path

from demo.week import written

PAGE = Path(__file__).parents[2] / "docs" / "a-week.md"


def test_the_week_is_as_the_page_tells_it(tmp_path: Path) -> None:
    assert written(tmp_path).splitlines() == PAGE.read_text(encoding="utf-8").splitlines()
