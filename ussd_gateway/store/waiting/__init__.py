"""What a commit leaves to be done: SMS that wait for their provider, purchases that wait for
their carrier, vouchers that wait for whoever cashes them. The ledger writes the rows, in the
commit of their money; here they are found when it is time, and the first two taken, by one at
a time."""
