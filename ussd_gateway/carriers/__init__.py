"""Whoever outside fulfils a purchase: who charges a phone bill, who sells airtime.

Each file is one vendor, and gives what `ports.Carrier` asks for.
"""
