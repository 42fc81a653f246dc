/* Time: clocks that do not go back, sleeping as long as was asked, intervals of one second, calendar arithmetic. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(void) {
  double before = seconds(CLOCK_MONOTONIC), last = before;
  int back = 0;
  for (int i = 0; i < 1000; i++) {
    double now = seconds(CLOCK_MONOTONIC);
    back += now < last;
    last = now;
  }
  printf("went back %d times\n", back);

  struct timespec wait = {0, 50000000};
  before = seconds(CLOCK_MONOTONIC);
  int result = nanosleep(&wait, NULL);
  double slept = seconds(CLOCK_MONOTONIC) - before;
  printf("nanosleep %d, not too short %d, not much too long %d\n", result, slept >= 0.05, slept < 5);
  wait.tv_nsec = 1000000000;
  result = nanosleep(&wait, NULL);
  printf("too many nanoseconds %d %d\n", result, errno == EINVAL);

  struct timeval day;
  gettimeofday(&day, NULL);
  printf("the clocks agree %d\n", labs((long)day.tv_sec - (long)time(NULL)) <= 1);
  printf("processor time %d\n", clock() >= 0);
  printf("no such clock %d %d\n", clock_gettime(9999, &wait), errno == EINVAL);

  setenv("TZ", "UTC0", 1);
  time_t times[] = {0, 951782400, 1234567890, 2147483647, 4102444800};
  for (int i = 0; i < 5; i++) {
    char text[64];
    struct tm parts;
    gmtime_r(&times[i], &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %j", &parts);
    printf("%ld: %s, back %d\n", (long)times[i], text, mktime(&parts) == times[i]);
  }
  return 0;
}
