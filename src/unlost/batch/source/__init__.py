"""Where inputs come from, and what each of them is called."""
