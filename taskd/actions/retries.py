"""What may be asked for as a retry: attempts that end while somebody still waits for them."""

from math import inf

from taskd.model.definition import Retry

MOST_AT_ONCE = 100  # further attempts with less than a second between them


def check_retry(retry: Retry) -> Retry:
    """Raises ValueError with the remedy."""
    if not isinstance(retry.times, int) or not all(map(_is_number, vars(retry).values())):
        raise ValueError("expected numbers of 0 or more, as in 3 times with a delay of 30")
    if retry.times > MOST_AT_ONCE and retry.delay < 1:
        raise ValueError(
            f"{retry.times} further attempts, one right after the other: "
            f"at most {MOST_AT_ONCE} without a delay of a second or more"
        )
    return retry


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < inf
