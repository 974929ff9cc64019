"""Posts to a URL what it reads. A program of its own, so that the time that it has is all it has.

stdin   the URL in the first line, since arguments can be seen by others; then the JSON
stderr  why it was not taken
"""

import sys
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from taskd.version import VERSION

PATIENCE = 60.0  # seconds: whoever has started it ends it before, if he lives


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would become a GET, which tells nobody anything."""

    def redirect_request(self, *_: object) -> None:
        return None


def main() -> None:
    url, text = sys.stdin.buffer.readline().decode().strip(), sys.stdin.buffer.read()
    headers = {"Content-Type": "application/json", "User-Agent": f"taskd/{VERSION}"}
    try:
        build_opener(_NoRedirects).open(Request(url, text, headers), timeout=PATIENCE).close()
    except HTTPError as error:
        sys.exit(f"the answer was {error.code} {error.reason}")
    except URLError as error:
        sys.exit(str(error.reason))
    except (OSError, HTTPException) as error:
        sys.exit(str(error) or type(error).__name__)
