# A macro to the end of the file.
    nop
    .macro open
    nop
