"""Everything that is kept: the ledger, the outbox and sessions, behind the doors of `ports`.

    schema/, migrations/   the tables
    ledger/                where commands become commits
    waiting/               what a commit leaves to be done: SMS, purchases, vouchers
    inquiry/               what staff look up, and print
    days/                  ends of days, tables of months, what need not be kept
    seals/                 the chain over all commits
    verify/                the checker of the books, written apart from the ledger
    menus/                 their versions, and what comes of them at phones
    sessions/              in Redis

At the top stands what the rooms stand on (`database`, `snapshot`, `asked`, `codec`, `rows`,
`migrate`), what a service looks up before its command (`reads`), what has to be there before a
payment (`house`, `numbers`, `price_books`), and who may act (`pins`, `staff`).
"""
