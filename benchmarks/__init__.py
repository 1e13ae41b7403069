"""What forkyard costs: each file is a command that says what it measured and how."""
