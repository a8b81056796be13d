"""What each business date brings: ids that begin with it, its end and its totals, the tables of
the months ahead, and what need not be kept any more. None of it is on the way of a payment."""
