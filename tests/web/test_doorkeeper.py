from ipaddress import ip_network

import pytest

from ussd_gateway.web.doorkeeper import Doorkeeper

KEEPER = Doorkeeper(
    tokens=("old-token", "new-token"),
    allowed=[ip_network("196.201.0.0/16"), ip_network("2c0f:fe38::/32")],
    proxies=[ip_network("10.0.0.0/8")],
)


def test_both_live_tokens_open_and_no_other() -> None:
    assert KEEPER.knows("old-token")
    assert KEEPER.knows("new-token")
    for token in ("", "old-toke", "old-tokenx", "NEW-TOKEN", "tökèn"):
        assert not KEEPER.knows(token)


@pytest.mark.parametrize(
    ("remote", "forwarded", "let_in"),
    [
        ("196.201.1.1", "", True),
        ("196.202.1.1", "", False),
        ("2c0f:fe38::1", "", True),
        ("::ffff:196.201.1.1", "", True),
        ("", "", False),
        ("unix", "", False),
        # Only a proxy of ours is believed about who called it.
        ("10.0.0.1", "196.201.1.1", True),
        ("10.0.0.1", "203.0.113.9, 196.201.1.1", True),
        ("10.0.0.1", "196.201.1.1, 203.0.113.9", False),
        ("10.0.0.1", "196.201.1.1, 10.0.0.2", True),
        ("10.0.0.1", "", False),
        ("10.0.0.1", "nonsense", False),
        ("203.0.113.9", "196.201.1.1", False),
    ],
)
def test_the_caller_is_the_last_address_that_no_proxy_of_ours_wrote(
    remote: str, forwarded: str, let_in: bool
) -> None:
    assert KEEPER.lets_in(remote, forwarded) is let_in
