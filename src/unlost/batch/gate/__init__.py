"""Who may call, and when: rates, rests that a server asks for, outages."""
