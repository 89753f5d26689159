"""What must touch the inside of a library: one file per library, one public function per entry.

The docstring of an entry says what is wrong, then in sections of their own::

    Version: the library's release that has the fault, and one that has not where it is known.
    Upstream: the address of the issue or pull request.
    Without it: what users lose.

``tests/compat/test_<library>.py`` holds a test ``test_<entry>_is_still_needed`` for each, which
fails on the day when the library does it right: then the entry goes.
"""
