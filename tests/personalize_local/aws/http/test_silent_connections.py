"""Connections that are silent: the longest silent one ends, and what has come on it is not lost."""

import socket
from contextlib import ExitStack

from personalize_local.aws.http.silent_connections import SilentConnections


def test_the_longest_silent_one_ends_first_and_only_while_it_is_waited_for() -> None:
    silent = SilentConnections()
    pairs = [socket.socketpair() for _ in range(3)]
    with ExitStack() as waits:
        for ours, _ in pairs:
            waits.enter_context(silent.waiting_for(ours))
        pairs[0][1].sendall(b"G")
        assert silent.end_longest()
        assert pairs[1][0].recv(10) == b"", "the first has begun to speak"
        assert pairs[0][0].recv(10) == b"G"
        assert silent.end_longest()
        assert pairs[0][0].recv(10) == b"", "it is silent again, and was so before the third"
        assert silent.end_longest()
        assert pairs[2][0].recv(10) == b""
        assert not silent.end_longest(), "each was ended once"
    assert not silent.end_longest()
    for ours, theirs in pairs:
        ours.sendall(b"an answer")
        assert theirs.recv(20) == b"an answer"
        ours.close()
        theirs.close()


def test_one_that_was_closed_is_passed_over() -> None:
    silent = SilentConnections()
    ours, theirs = socket.socketpair()
    with silent.waiting_for(ours):
        ours.close()
        assert not silent.end_longest()
    theirs.close()
