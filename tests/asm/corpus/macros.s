.macro foo a, b=3, c:req
 .byte \a, \b, \c
.endm
foo 1, , 2
foo 1,2,3
foo c=5, a=4
foo 1 2 3
.macro bar x, y:vararg
 .word \x
 .byte \y
 .endm
bar 1, 2, 3, 4
.macro lab
l\@: .byte l\@ - . 
.endm
lab; lab
.irp r, 1,2,3
.byte \r
.endr
.irpc r, 123
.byte \r
.endr
.rept 2; .byte 7; .endr
.macro e1 n
.byte \n
.if \n
.exitm
.endif
.byte 0xee
.endm
e1 0
e1 1
.macro cat p, q
.byte \p\()\q

.endm
cat 1, 2
.macro rec n
.byte \n
.if \n
rec "(\n-1)"
.endif
.endm
rec 3
.ifc a, a
.byte 1
.endif
.ifc "a b","a b"
.byte 2
.endif
.ifeqs "x", "x"
.byte 3
.endif
.ifb 
.byte 4
.endif
.ifnb x
.byte 5
.elseif 1
.byte 6
.else
.byte 7
.endif
.ifdef foox
.endif
.ifndef foox
.byte 8
.endif
.ifne 1; .byte 9; .endif
.ifge 0; .byte 10; .endif
.iflt -1; .byte 11; .endif
