# options: --memory 1M
# Takes page after page of the stack, until the machine has no memory left.
    .globl _start
_start:
    li   t1, -4096
touch:
    add  sp, sp, t1
    sb   zero, 0(sp)
    j    touch
