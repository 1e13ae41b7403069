"""/proc: its names, the formats of its files, and what is hostile to it."""
