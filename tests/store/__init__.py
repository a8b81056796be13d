"""The store on both databases, through its doors."""
