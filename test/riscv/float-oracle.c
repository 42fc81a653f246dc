/*
 * Executes floating point instructions of the machine it runs on, for comparison with sim/riscv/float.ts.
 *
 * Reads records from stdin until its end: operation (4 bytes), rounding mode (4), three operands (8 each); writes for each the
 * result (8) and the flags (8). Operations count in the order of the switch below: first single, then double precision.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct input {
  uint32_t operation, rm;
  uint64_t a, b, c;
};

struct output {
  uint64_t bits, flags;
};

#define FLOAT_3(INSN, FMT) /* f = op(f, f, f) */ \
  asm volatile("fmv." FMT ".x ft0, %2\n fmv." FMT ".x ft1, %3\n fmv." FMT ".x ft2, %4\n fsflags zero\n" INSN " ft3, ft0, ft1, ft2\n" \
               "frflags %1\n fmv.x." FMT " %0, ft3" : "=r"(bits), "=r"(flags) : "r"(in.a), "r"(in.b), "r"(in.c) : "ft0", "ft1", "ft2", "ft3")
#define FLOAT_2(INSN, FMT) \
  asm volatile("fmv." FMT ".x ft0, %2\n fmv." FMT ".x ft1, %3\n fsflags zero\n" INSN " ft3, ft0, ft1\n" \
               "frflags %1\n fmv.x." FMT " %0, ft3" : "=r"(bits), "=r"(flags) : "r"(in.a), "r"(in.b) : "ft0", "ft1", "ft3")
#define FLOAT_1(INSN, FROM, FMT) \
  asm volatile("fmv." FROM ".x ft0, %2\n fsflags zero\n" INSN " ft3, ft0\n" \
               "frflags %1\n fmv.x." FMT " %0, ft3" : "=r"(bits), "=r"(flags) : "r"(in.a) : "ft0", "ft3")
#define COMPARE(INSN, FMT) \
  asm volatile("fmv." FMT ".x ft0, %2\n fmv." FMT ".x ft1, %3\n fsflags zero\n" INSN " %0, ft0, ft1\n frflags %1" \
               : "=&r"(bits), "=r"(flags) : "r"(in.a), "r"(in.b) : "ft0", "ft1")
#define TO_INTEGER(INSN, FMT) \
  asm volatile("fmv." FMT ".x ft0, %2\n fsflags zero\n" INSN " %0, ft0\n frflags %1" : "=&r"(bits), "=r"(flags) : "r"(in.a) : "ft0")
#define FROM_INTEGER(INSN, FMT) \
  asm volatile("fsflags zero\n" INSN " ft3, %2\n frflags %1\n fmv.x." FMT " %0, ft3" : "=r"(bits), "=r"(flags) : "r"(in.a) : "ft3")

#define FORMAT(BASE, S, FMT) \
  case BASE + 0: FLOAT_2("fadd." S, FMT); break; \
  case BASE + 1: FLOAT_2("fsub." S, FMT); break; \
  case BASE + 2: FLOAT_2("fmul." S, FMT); break; \
  case BASE + 3: FLOAT_2("fdiv." S, FMT); break; \
  case BASE + 4: FLOAT_1("fsqrt." S, FMT, FMT); break; \
  case BASE + 5: FLOAT_3("fmadd." S, FMT); break; \
  case BASE + 6: FLOAT_2("fmin." S, FMT); break; \
  case BASE + 7: FLOAT_2("fmax." S, FMT); break; \
  case BASE + 8: COMPARE("feq." S, FMT); break; \
  case BASE + 9: COMPARE("flt." S, FMT); break; \
  case BASE + 10: COMPARE("fle." S, FMT); break; \
  case BASE + 11: TO_INTEGER("fclass." S, FMT); break; \
  case BASE + 12: TO_INTEGER("fcvt.w." S, FMT); break; \
  case BASE + 13: TO_INTEGER("fcvt.wu." S, FMT); break; \
  case BASE + 14: TO_INTEGER("fcvt.l." S, FMT); break; \
  case BASE + 15: TO_INTEGER("fcvt.lu." S, FMT); break; \
  case BASE + 16: FROM_INTEGER("fcvt." S ".w", FMT); break; \
  case BASE + 17: FROM_INTEGER("fcvt." S ".wu", FMT); break; \
  case BASE + 18: FROM_INTEGER("fcvt." S ".l", FMT); break; \
  case BASE + 19: FROM_INTEGER("fcvt." S ".lu", FMT); break;

static struct output execute(struct input in) {
  uint64_t bits = 0, flags = 0;
  asm volatile("fsrm %0" : : "r"((uint64_t)in.rm));
  switch (in.operation) {
    FORMAT(0, "s", "w")
    case 20: FLOAT_1("fcvt.s.d", "d", "w"); break;
    FORMAT(21, "d", "d")
    case 41: FLOAT_1("fcvt.d.s", "w", "d"); break;
    default: abort();
  }
  return (struct output){bits, flags};
}

int main(void) {
  struct input in;
  while (fread(&in, sizeof in, 1, stdin) == 1) {
    struct output out = execute(in);
    asm volatile("fsrm zero");
    fwrite(&out, sizeof out, 1, stdout);
  }
  return 0;
}
