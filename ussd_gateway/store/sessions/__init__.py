"""Sessions of USSD as Redis holds them: `client` loads and saves each by one of `scripts`;
`in_flight` looks at all that there are.

    ussd:<route>:<session id>   a hash
      hop     hops answered so far             holder  who answers the next one now
      heard   length of the input then         until   when that lock lapses (server, ms)
      row     the session as `ussd` keeps it
      mark, at  where only the newest input comes: of the last callback, and when (ms)
      moved   a later session of its phone has taken its place: it takes no input any more
    ussd:left:<phone>              the key of the session that it has left open
"""
