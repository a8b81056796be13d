"""Papers: what is written for people to keep, out of values that somebody else has read.

Each of them is a pure function from a value to lines or octets; nothing here knows where the
value came from or where the paper goes.
"""
