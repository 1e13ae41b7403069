"""The llvm engine: a threaded interpreter and translated regions, both rendered from the instruction definitions."""
