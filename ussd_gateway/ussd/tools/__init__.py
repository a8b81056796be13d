"""What operators look at a pack with before anybody dials it: pure functions over programs.

samples       values by type: as they usually are, as long and as short as they can be
explore       every way through a pack, and every place where a phone can be lost on it
preview       every screen as a phone shows it
side_by_side  two versions of a pack, screen beside screen
graph         a pack as a tree, which `drawing` makes a picture of
json_schema   what editors complete and mark
translations  texts as `.po` files, which `texts` writes back into the pack
"""
