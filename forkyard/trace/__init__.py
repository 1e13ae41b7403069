"""What happened, as text or JSON: subscribers of the kernel's events that change nothing of the run."""
