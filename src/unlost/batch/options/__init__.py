"""What a run goes by, how that is written, and why it holds."""
