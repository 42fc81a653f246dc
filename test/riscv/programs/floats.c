/* Floating point: printing and reading, the mathematical library, rounding modes and flags, conversions, n-body. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void printing(void) {
  static const double values[] = {0.0, -0.0, 1.0, 0.1, 1.0 / 3, 2.5, 3.5, 1e21, 1e22, 123456789.125, 5e-324, 2.2250738585072014e-308,
                                  1.7976931348623157e308, 9007199254740993.0, 4.35, 0.5, 999999.5};
  for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
    double v = values[i];
    printf("%g|%.17g|%e|%.3f|%a|%10.4g|%-12.2e|%+.0f\n", v, v, v, v < 1e30 ? v : 0, v, v, v, v < 1e30 ? v : 0);
  }
  printf("%f %F %g %f\n", INFINITY, -INFINITY, copysign(NAN, 1), 1e300 * 10);
  printf("%.40f\n%.60e\n", 0.1, 1.0 / 7);
  printf("%Lg %.30Lf\n", 1.0L / 3, 2.0L / 3); /* quadruple precision, in software */
}

static void reading(void) {
  static const char *texts[] = {"1e400", "-1e-400", "0x1.8p3", "inf", "nan", "2.2250738585072011e-308", "9007199254740992.5", "  42abc", "1e23", "8.5e-5"};
  for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    char *end;
    double value = strtod(texts[i], &end);
    printf("%s -> %.17g and '%s'; %.9g\n", texts[i], fabs(value), end, fabsf(strtof(texts[i], NULL)));
  }
}

static void library(void) {
  for (double x = -3; x <= 3; x += 0.75) {
    printf("%.2f: %.17g %.17g %.17g %.17g %.17g\n", x, sin(x), cos(x), exp(x), atan(x), cbrt(x));
    printf("      %.17g %.17g %.17g %.17g\n", pow(fabs(x), 1.7), log(fabs(x) + 1), tgamma(x + 4), erf(x));
    printf("      %.9g %.9g %.9g %.9g\n", sinf((float)x), expf((float)x), powf((float)fabs(x), 1.7f), hypotf((float)x, 2));
  }
  printf("%.17g %.17g %.17g %.17g\n", sqrt(2), fma(0.1, 10, -1), fmod(1e17, 3), remainder(17, 3.5));
  printf("%.17g %.17g %.17g %.17g\n", nextafter(1, 2), ldexp(0.7, -1070), scalbn(1.1, 1023), logb(5e-324));
  printf("%.17g %.17g %.17g\n", fmin(NAN, 1), fmax(-0.0, 0.0), fdim(3, 5));
}

/* Volatile: or the compiler computes in advance, or moves arithmetic across the changes of mode. */
static void rounding(void) {
  static const struct {
    const char *name;
    int mode;
  } modes[] = {{"nearest", FE_TONEAREST}, {"zero", FE_TOWARDZERO}, {"down", FE_DOWNWARD}, {"up", FE_UPWARD}};
  volatile double one = 1, three = 3, tiny = 5e-324, big = DBL_MAX, half = 2.5;
  volatile float onef = 1, tenf = 10;
  for (int i = 0; i < 4; i++) {
    fesetround(modes[i].mode);
    feclearexcept(FE_ALL_EXCEPT);
    volatile double quotient = one / three, sum = one + tiny, product = tiny * half, overflow = big * three;
    volatile float tenth = onef / tenf;
    volatile long near = lrint(half), far = lrint(-half);
    int flags = fetestexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    printf("%s: %a %a %a %a %a %ld %ld flags %x\n", modes[i].name, quotient, sum, product, overflow, tenth, near, far, flags);
  }
}

static void flags(void) {
  volatile double zero = 0, one = 1, big = DBL_MAX, small = DBL_MIN, nan = NAN;
#define FLAGS(EXPRESSION) \
  feclearexcept(FE_ALL_EXCEPT); \
  { volatile double result = (EXPRESSION); (void)result; } \
  printf("%-24s %02x\n", #EXPRESSION, fetestexcept(FE_ALL_EXCEPT))
  FLAGS(one / zero);
  FLAGS(zero / zero);
  FLAGS(big + big);
  FLAGS(small / 3);
  FLAGS(small / 2);
  FLAGS(one / 3);
  FLAGS(sqrt(-one));
  FLAGS(nan < one);
  FLAGS(nan == one);
  FLAGS((int)big);
  FLAGS((unsigned)-one);
  FLAGS((float)big);
  FLAGS((double)(float)0.1);
}

static void conversions(void) {
  volatile double values[] = {-1.5, -0.5, 0.49999999999999994, 2.5, 2147483647.5, 4294967295.7, 9.2233720368547748e18, 1.8e19};
  for (int i = 0; i < 8; i++) {
    double v = values[i];
    printf("%.17g: %.9g %.9g %g %g %g %g\n", v, (double)(float)v, (double)(long)(v > 9e18 ? 0 : v), floor(v), ceil(v), trunc(v), nearbyint(v));
  }
  volatile unsigned long u = 0xfffffffffffffbffu;
  volatile long s = -0x7fffffffffffffffL;
  printf("%.17g %.9g %.17g %.9g\n", (double)u, (double)(float)u, (double)s, (double)(float)s);
}

struct body {
  double x[3], v[3], mass;
};

static double energy(const struct body *bodies, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < 3; k++) sum += bodies[i].mass * bodies[i].v[k] * bodies[i].v[k] / 2;
    for (int j = i + 1; j < count; j++) {
      double square = 0;
      for (int k = 0; k < 3; k++) square += (bodies[i].x[k] - bodies[j].x[k]) * (bodies[i].x[k] - bodies[j].x[k]);
      sum -= bodies[i].mass * bodies[j].mass / sqrt(square);
    }
  }
  return sum;
}

static void nbody(void) {
  struct body bodies[4] = {{{0, 0, 0}, {0, 0, 0}, 39.47}, {{4.84, -1.16, -0.10}, {0.606, 2.81, -0.025}, 0.037},
                           {{8.34, 4.12, -0.4}, {-1.01, 1.82, 0.008}, 0.011}, {{12.89, -15.11, -0.22}, {1.08, 0.868, -0.0108}, 0.0017}};
  printf("nbody %.15f", energy(bodies, 4));
  for (int step = 0; step < 2000; step++) {
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++) {
        if (i == j) continue;
        double d[3], square = 0;
        for (int k = 0; k < 3; k++) d[k] = bodies[i].x[k] - bodies[j].x[k], square += d[k] * d[k];
        double pull = 0.001 * bodies[j].mass / (square * sqrt(square));
        for (int k = 0; k < 3; k++) bodies[i].v[k] -= d[k] * pull;
      }
    for (int i = 0; i < 4; i++)
      for (int k = 0; k < 3; k++) bodies[i].x[k] += 0.001 * bodies[i].v[k];
  }
  printf(" %.15f %.17g\n", energy(bodies, 4), bodies[1].x[0]);
}

int main(void) {
  printing();
  reading();
  library();
  rounding();
  flags();
  conversions();
  nbody();
  return 0;
}
