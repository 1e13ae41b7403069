# Several statements on a line, comments between them, tabs: the caret stands under the right one.
	li	a0, 1; addd	a0, a0, a1; nop
	/* a comment */ subb a0, a1 # and one more
name: other: lww a0, (a1)
    /* over
       two lines */ frob a0
    .include "part.inc"
