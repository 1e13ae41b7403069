# What goes wrong in and around macros: the place in the macro, and where it was called.
    .macro first reg, value:req
    li \reg, \value
    addd \reg, \reg, \reg
    .endm
    .macro second reg
    first \reg, 70000
    first \reg
    .endm
    first a0, 1
    second a1
    first a0, 1, 2
    first a0, valeu=3
    .macro first
    .endm
    .purgem frist
    .exitm
    .endm
    .endr
    .macro again n
    again \n
    .endm
    again 1
    .rept 3
    subb a0, a0
    .endr
    .irp r, a0, b0
    mv \r, zero
    .endr
    .rept -1
    .endr
    .rept 1000000000
    .endr
    .macro
    .macro 5
    .endm
