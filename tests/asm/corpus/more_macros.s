# Macros and loops inside each other, arguments of all kinds, includes: as GNU as has them.
    .data
.macro outer n, rest:vararg
    .byte \n
    .ifnb \rest
    outer \rest
    .endif
.endm
    outer 1, 2, 3, 4
.macro counted
    .byte \@
.endm
    counted
    counted
.macro twice text:vararg
    \text
    \text
.endm
    twice .byte 1, 2
    twice .ascii "a, b; c"
.macro define name, value=9
\name: .byte \value
.endm
    define alpha
    define beta, 3
    define value=4, name=gamma
.macro load kind, to, from
    l\kind \to, \from
.endm
    .text
    load w, a0, 4(sp)
    load kind=bu, to=t0, from=(a1)
    .data
.macro early n
    .byte 1
    .if \n > 2
    .exitm
    .endif
    .byte 2
    .if \n == 1
    .rept 3
    .exitm
    .endr
    .endif
    .byte 3
.endm
    early 0
    early 5
.rept 2
    .irp x, 1, 2
    .rept 2
    .byte \x
    .endr
    .endr
.endr
.irp pair, <1>, "2", 3
    .ifc \pair, 3
    .byte 33
    .endif
.endr
.irpc digit, 0123
    .byte \digit
    .word \digit\digit
.endr
.irp empty
    .byte 0xee
.endr
.macro redefine
    .byte 1
.endm
    redefine
.purgem redefine
.macro redefine
    .byte 2
.endm
    redefine
.macro maker name, value
    .macro \name
    .byte \value
    .endm
.endm
    maker made, 7
    made
    .if 1; .byte 1; .else; .byte 2; .endif
    .if 0
    .if 1
    .byte 3
    .else
    .byte 4
    .endif
    .elseif 2 > 1
    .byte 5
    .elseif 1
    .byte 6
    .else
    .byte 7
    .endif
    .ifdef alpha
    .byte 8
    .endif
    .ifndef nothing
    .byte 9
    .endif
    .ifnotdef alpha
    .byte 10
    .endif
    .ifeq alpha - alpha
    .byte 11
    .endif
    .ifge 3
    .byte 12
    .endif
    .ifgt 0
    .byte 13
    .endif
    .ifle 0
    .byte 14
    .endif
    .iflt 0
    .byte 15
    .endif
    .ifc  a b , a b
    .byte 16
    .endif
    .ifnc a, b
    .byte 18
    .endif
    .ifeqs "a\"", "a\""
    .byte 19
    .endif
    .ifnes "a", "b"
    .byte 20
    .endif
    .rept 3; .byte 0x21; .endr
1:  .byte 1b - 1b, 1f - 1b
1:  .byte 1f - 1b
1:
.macro mac2 a b c
    .byte \a, \b, \c
.endm
    mac2 1 2 3
    mac2 1, 2 3
    mac2 (1+1), -2, ~3
    mac2 1 + 1, 2 * 3, (4)
