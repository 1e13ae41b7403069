"""The fork laboratory: one program under each policy of fork and under vfork, and what each cost, and when."""
