"""USSD aggregators: how a callback of each becomes a `ports.Request`, and a Reply its answer.

    menus/routes.yaml --table--> a Wire for each route
    octets --bodies--> fields --wire--> Asked | Ended | Malformed
    Reply --replies--> the octets that this aggregator reads

What an aggregator sends, what is unconfirmed of it and how it repeats is written in its row of
the file.
"""
