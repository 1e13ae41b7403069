"""The system calls: table.py maps numbers to functions, and each other file is one family of them."""
