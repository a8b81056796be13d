"""What the gateway does for people: one use case a file, named by its verb."""
