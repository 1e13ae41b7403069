"""One module for each command, with `main(argv) -> exit status`; forkyard.cli imports only the one asked for."""
