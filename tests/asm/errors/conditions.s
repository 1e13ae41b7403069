# Conditionals that don't fit together.
    .if 1
    .else
    .else
    .elseif 1
    .endif
    .endif
    .else
    .if
    .endif
    .if undefined_name == 3
    .endif
    .ifeqs "a"
    .endif
    .if 0
    this is not looked at
    .if 1
    .endif
