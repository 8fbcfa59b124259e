"""How much of something a link may bring: a token bucket, in whole numbers, on a clock that is handed in."""


class Allowance:
    """`rate_per_s` a second, and `burst` at once."""

    def __init__(self, rate_per_s: int, burst: int, now_ms: int) -> None:
        self._rate_per_s, self._burst_thousandths = rate_per_s, burst * 1000
        self._thousandths, self._at_ms = burst * 1000, now_ms

    def take(self, count: int, now_ms: int) -> bool:
        """Take so many; False, and nothing is taken, if there are not so many."""
        gained = max(0, now_ms - self._at_ms) * self._rate_per_s
        self._at_ms = max(self._at_ms, now_ms)
        self._thousandths = min(self._burst_thousandths, self._thousandths + gained)
        if count * 1000 > self._thousandths:
            return False
        self._thousandths -= count * 1000
        return True
