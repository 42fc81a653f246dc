#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#define N 5
static double x[N][3], v[N][3], m[N];
static double energy(void) {
  double e = 0;
  for (int i = 0; i < N; i++) {
    e += 0.5 * m[i] * (v[i][0] * v[i][0] + v[i][1] * v[i][1] + v[i][2] * v[i][2]);
    for (int j = i + 1; j < N; j++) {
      double d = 0;
      for (int k = 0; k < 3; k++)
        d += (x[i][k] - x[j][k]) * (x[i][k] - x[j][k]);
      e -= m[i] * m[j] / sqrt(d);
    }
  }
  return e;
}
int main(int argc, char **argv) {
  long it = argc > 1 ? atol(argv[1]) : 1000000;
  for (int i = 0; i < N; i++) {
    m[i] = i == 0 ? 39.47 : 0.01 * i;
    for (int k = 0; k < 3; k++) {
      x[i][k] = i * 3.1 + k * 0.7 * i;
      v[i][k] = i ? (k - 1) * 1.3 / i + 0.1 * i : 0;
    }
  }
  printf("%.9f\n", energy());
  for (long t = 0; t < it; t++) {
    for (int i = 0; i < N; i++)
      for (int j = i + 1; j < N; j++) {
        double d[3], s = 0;
        for (int k = 0; k < 3; k++) {
          d[k] = x[i][k] - x[j][k];
          s += d[k] * d[k];
        }
        double g = 0.001 / (s * sqrt(s));
        for (int k = 0; k < 3; k++) {
          v[i][k] -= d[k] * m[j] * g;
          v[j][k] += d[k] * m[i] * g;
        }
      }
    for (int i = 0; i < N; i++)
      for (int k = 0; k < 3; k++)
        x[i][k] += 0.001 * v[i][k];
  }
  printf("nbody %ld %.9f\n", it, energy());
  return 0;
}
