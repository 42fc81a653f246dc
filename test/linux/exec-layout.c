/*
 * What the kernel's exec has made, told by the program itself before anything else has run: /proc/self/maps, then what the initial stack
 * says, a name and a number in hex a line. Freestanding, so that neither a C library nor a loader has changed anything.
 */
typedef unsigned long word;

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static void say(const char *name, word value)
{
    char line[64];
    int at = 0;
    while (*name != 0)
        line[at++] = *name++;
    line[at++] = ' ';
    for (int shift = 60; shift >= 0; shift -= 4)
        line[at++] = "0123456789abcdef"[(value >> shift) & 15];
    line[at++] = '\n';
    call(1, 1, (long)line, at);
}

/* Data with a tail of zeros in its last page, and pages of zeros behind it. */
volatile int data[100] = {1};
volatile char zeros[20000];

__attribute__((used)) static void tell(word *stack)
{
    char buffer[4096];
    long file = call(2, (long)"/proc/self/maps", 0, 0);
    for (long got; (got = call(0, file, (long)buffer, sizeof buffer)) > 0;)
        call(1, 1, (long)buffer, got);
    say("argc", *stack);
    word *at = stack + 1;
    for (; *at != 0; at++)
        say("argv", *at);
    for (at++; *at != 0; at++)
        say("env", *at);
    for (at++; at[0] != 0; at += 2) {
        if (at[0] == 3) say("phdr", at[1]);
        if (at[0] == 7) say("base", at[1]);
        if (at[0] == 9) say("entry", at[1]);
        if (at[0] == 15) say("platform", at[1]);
        if (at[0] == 25) say("random", at[1]);
        if (at[0] == 31) say("path", at[1]);
        if (at[0] == 33) say("vdso", at[1]);
    }
    call(231, data[0] - 1 + zeros[19999], 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall tell\n");
