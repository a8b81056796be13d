"""The terms of the house, as operators write them: prices, limits by tier, what is for sale on
a phone bill. Checked before they are used, each fault with its line."""
