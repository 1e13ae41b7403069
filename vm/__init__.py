"""The hardware: instructions, the engines that run them, RAM, MMU, TLB, traps. Knows no process and no file."""
