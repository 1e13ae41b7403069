# Definitions that clash or go in circles, and values that are no numbers.
here: nop
here: nop
    .equ one, 1
one:  nop
    .equiv one, 2
    .set round, about
    .set about, round
    .word round
    .byte here
    .half outside
    .word here + here
    .word here * 2
    .if outside
    .endif
    .skip outside
    .size here, outside
    .comm here, 8
    .comm big, -1
    .lcomm l, 8, 8
. : nop
