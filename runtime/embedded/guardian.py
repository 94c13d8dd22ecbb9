"""A small process that outlives the supervisor by a moment and then ends what that had started.

The kernel's death signal reaches only the direct children, and Ray's agents stay for a minute. The guardian
reads notes of sessions from its standard input, whose other end the supervisor holds; end of file means that
the supervisor is gone, however it went.
"""

import json
import shutil
import signal
import sys
from pathlib import Path

from runtime.embedded.process import ProcessRecord, end_sessions

_GRACE_S = 2.0


def main() -> None:
    run_dir = Path(sys.argv[1])
    records = [ProcessRecord.from_json(json.loads(line)) for line in sys.stdin]
    end_sessions(records, first=signal.SIGTERM, grace_s=_GRACE_S)
    shutil.rmtree(run_dir, ignore_errors=True)


if __name__ == "__main__":
    main()
