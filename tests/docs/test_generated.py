"""Generated pages are what the code generates now."""

import pytest

from docs.generate import DOCS, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name], "run `make docs` and commit the result"
