"""Menus as they are published, and what comes of them: versions and for whom each is live,
proposals and who approved them, actions that are stopped, counts of screens, recordings of
phones. The order: rollout < versions < proposals; the others know nothing of one another."""
