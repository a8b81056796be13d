"""What money, numbers and receipts are: pure values and rules, no input or output."""
