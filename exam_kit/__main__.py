"""`python -m exam_kit` is `exam-kit`."""

import sys

from exam_kit.cli import main

if __name__ == "__main__":
    sys.exit(main())
