"""Name the header that every request to change faults, switches, quotas or durations must have.

A web page can send a POST to any address without asking first, but not with a header of its own.
"""

CONTROL_HEADER = "X-Local-Cloud-Control"
