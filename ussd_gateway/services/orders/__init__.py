"""What the house's own staff order, and what the scheduler does where nobody decided. `desk` is
what all of it is carried out with; `taking_back` has the journals of a reversal."""
