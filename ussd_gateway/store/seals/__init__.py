"""The chain of seals over every commit, and its heads as files that leave the house."""
