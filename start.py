#!/usr/bin/env python3
# -*- coding: utf-8 -*-  # noqa: UP009 - Python 2 cannot read this file without it
"""Sets Exam Kit up and starts it: `python3 start.py`.

This file must be readable by any Python ever likely to be found on a school's laptop, Python 2 included, so that an old
one is answered with one line and not with a syntax error. The work is done in `tools/install`.
"""

import os
import sys

OLD_PYTHON = {
    "ru": "Python {found}: слишком старый, нужен 3.11 или новее. Установите его с https://www.python.org/downloads/ "
    "(на Debian, Ubuntu, Astra: apt-get install python3) и запустите: python3 start.py",
    "en": "Python {found}: too old, 3.11 or newer is needed. Install it from https://www.python.org/downloads/ "
    "(on Debian, Ubuntu, Astra: apt-get install python3) and run: python3 start.py",
    "lv": "Python {found}: pārāk veca versija, vajadzīga 3.11 vai jaunāka. Uzstādiet to no "
    "https://www.python.org/downloads/ (Debian, Ubuntu, Astra: apt-get install python3) un palaidiet: python3 start.py",
}
EXIT_OLD_PYTHON = 50


def refuse_old_python():
    # type: () -> int
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "ru"
    text = OLD_PYTHON.get(named[:2].lower(), OLD_PYTHON["ru"])
    line = text.replace("{found}", ".".join(str(part) for part in sys.version_info[:3])) + "\n"
    if hasattr(sys.stderr, "buffer"):
        # Written as bytes: an old Python in a container takes the terminal for ASCII and would print question marks.
        encoding = sys.stderr.encoding if os.name == "nt" else "utf-8"
        sys.stderr.buffer.write(line.encode(encoding, "replace"))
        sys.stderr.buffer.flush()
    else:
        sys.stderr.write(line)
    return EXIT_OLD_PYTHON


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the check itself
        sys.exit(refuse_old_python())
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - no pathlib in Python 2
    from tools.install.main import main

    sys.exit(main(sys.argv[1:]))
