"""SMS providers behind one door, `ports.SmsSender`: one file a provider."""
