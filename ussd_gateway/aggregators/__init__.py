"""USSD aggregators: how each one's callbacks become a `ports.Request`, and a Reply its
answer."""
