"""Followed files lose no line and double none, however often the follower is killed."""

import os

from tailing import tail_under_kills


def test_every_line_of_followed_files_is_there_once_after_kills(tmp_path):
    counts = tail_under_kills(tmp_path, int(os.environ.get("APUS_KILLS", "5")))
    print({label: f"{lines} lines, {turns} rotations" for label, (lines, turns) in counts.items()})
