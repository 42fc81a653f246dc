/*
 * void run(struct record *): loads the state of a record, executes its code, stores the state; see state-driver.c.
 *
 * Which register holds the record while the code runs differs, so that every register can be tested: one variant for each.
 */
#define WINDOW 0x20000fe0
#define RECORD_F 256
#define RECORD_WINDOW 512
#define RECORD_FCSR 576
#define RECORD_POINTER 584
#define RECORD_EXIT 592
#define RECORD_EXITS 600

        .option norelax         /* gp belongs to the code under test */

/* All registers but x0, the pointer and the link. */
.macro  each_x op, pointer, link
        .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        .if \n != \pointer && \n != \link
        \op     x\n, 8*\n(x\pointer)
        .endif
        .endr
.endm

.macro  each_f op
        .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        \op     f\n, RECORD_F+8*\n(a0)
        .endr
.endm

/* What the ABI lets a caller expect to find again; t0 points to the place. */
.macro  each_kept op
        .set    at, 0
        .irp r, ra,sp,gp,tp,s0,s1,s2,s3,s4,s5,s6,s7,s8,s9,s10,s11
        \op     \r, at(t0)
        .set    at, at+8
        .endr
        .irp r, fs0,fs1,fs2,fs3,fs4,fs5,fs6,fs7,fs8,fs9,fs10,fs11
        f\op    \r, at(t0)
        .set    at, at+8
        .endr
.endm

.macro  copy_window to, to_offset, from, from_offset
        .irp i, 0,8,16,24,32,40,48,56
        ld      t0, \from_offset+\i(\from)
        sd      t0, \to_offset+\i(\to)
        .endr
.endm

.macro  variant pointer, link
enter_\pointer:
        mv      x\pointer, a0
        lla     x\link, leave_\pointer\()_0
        sd      x\link, RECORD_EXITS(x\pointer)
        lla     x\link, leave_\pointer\()_1
        sd      x\link, RECORD_EXITS+8(x\pointer)
        ld      x\link, 0(x\pointer)
        each_x  ld, \pointer, \link
        jr      x\link
leave_\pointer\()_0:
        each_x  sd, \pointer, \link
        mv      a0, x\pointer
        li      a1, 0
        j       leave
leave_\pointer\()_1:
        each_x  sd, \pointer, \link
        mv      a0, x\pointer
        li      a1, 1
        j       leave
.endm

        .text
        .globl  run
run:
        lla     t0, kept
        each_kept sd
        li      t1, WINDOW
        copy_window t1, 0, a0, RECORD_WINDOW
        ld      t0, RECORD_FCSR(a0)
        fscsr   t0
        each_f  fld
        ld      t0, RECORD_POINTER(a0)
        li      t1, 31
        beq     t0, t1, enter_31
        li      t1, 30
        beq     t0, t1, enter_30
        li      t1, 29
        beq     t0, t1, enter_29
        j       enter_28

        variant 31, 30
        variant 30, 31
        variant 29, 31
        variant 28, 31

leave:
        frcsr   t0
        sd      t0, RECORD_FCSR(a0)
        each_f  fsd
        sd      a1, RECORD_EXIT(a0)
        li      t1, WINDOW
        copy_window a0, RECORD_WINDOW, t1, 0
        fscsr   zero
        lla     t0, kept
        each_kept ld
        ret

        .bss
        .align  3
kept:   .skip   28*8

        .section .note.GNU-stack, "", @progbits
