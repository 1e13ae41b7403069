"""The assembler and linker: assembly text in, ELF objects and executables out. Import its modules; this imports
nothing.
"""
