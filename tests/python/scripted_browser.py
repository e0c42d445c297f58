"""A browser in which somebody signs in at once: follows the authorize page's answer to the program that waits for it.

As a program: opens the address that is its last argument. Like a desktop's opener it comes back before the page does.
"""

from __future__ import annotations

import html
import os
import re
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request

LONGEST = 20
"""How long a page may take, in seconds."""


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def opener(ca_file: str) -> urllib.request.OpenerDirector:
    """Give something that opens pages, and follows no redirect."""
    context = ssl.create_default_context(cafile=ca_file)
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _Stay
    )


def visit(address: str, ca_file: str) -> tuple[str, dict[str, str]]:
    """Sign in; give the address that the answer is for, and the fields of the answer."""
    try:
        with opener(ca_file).open(address, timeout=LONGEST) as answer:
            page = answer.read().decode()
    except urllib.error.HTTPError as moved:
        with moved:
            location = moved.headers["Location"]
        if location is None:
            raise
        target, _, query = location.partition("?")
        return target, dict(urllib.parse.parse_qsl(query))
    target = html.unescape(re.search(r'action="([^"]*)"', page)[1])  # type: ignore[index]
    return target, {
        html.unescape(name): html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    }


def browse(address: str, ca_file: str) -> None:
    """Sign in, and bring the answer to who waits for it: posted where the page has a form, else as a query."""
    target, fields = visit(address, ca_file)
    answer = urllib.parse.urlencode(fields)
    posted = "response_mode=form_post" in address
    where, data = (target, answer.encode()) if posted else (f"{target}?{answer}", None)
    with opener(ca_file).open(where, data, timeout=LONGEST) as page:
        page.read()


def main() -> None:
    """Open the page in a process of its own; programs that wait for their browser could not answer it otherwise."""
    if sys.argv[1] == "--page":
        browse(sys.argv[-1], os.environ["BROWSER_CA_FILE"])
        return
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen([sys.executable, __file__, "--page", sys.argv[-1]], start_new_session=True, **quiet)


if __name__ == "__main__":
    main()
