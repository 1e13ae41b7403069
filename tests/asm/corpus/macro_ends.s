# Where macros, loops and conditionals end, and what their arguments are.
    .data
    .if 0
    .if(1)
    .byte 1
    .endif
    .endif
    .macro labelled
    .byte 2
inside: .endm
    labelled
    .irpc x, ab c
    .ascii "<\x>"
    .endr
    .irpc x,"a b"
    .ascii "<\x>"
    .endr
    .irp x, 1, 2, 3
    .byte \x
    .if \x == 2
    .exitm
    .endif
    .endr
    .macro loops
    .irp x, 1, 2, 3
    .byte \x
    .exitm
    .endr
    .byte 7
    .endm
    loops
    .macro quoted a
    .ascii "\a"
    .endm
    quoted "q\"uo"
    quoted "q\\\"u"
    .irp x,"a\"b"
    .ascii "<\x>"
    .endr
