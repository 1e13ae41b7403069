    nop
    nop /* this comment
    goes on to the end
