/* Strings and formats: printf and scanf, number parsing, memory functions at every alignment, variable arguments. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const char *volatile long_text = "something long";

static void formats(void) {
  printf("[%d] [%5d] [%-5d] [%05d] [%+d] [% d] [%x] [%#X] [%o] [%u]\n", -42, 42, 42, 42, 42, 42, 255, 255, 8, 4000000000u);
  printf("[%s] [%10s] [%-10s] [%.3s] [%c] [%%] [%*d] [%.*s]\n", "text", "right", "left", "cut off", 'x', 6, 7, 2, "abc");
  printf("[%ld] [%lld] [%hhd] [%hd] [%zu] [%jd] [%td]\n", -1L, 1LL << 62, 300, 70000, sizeof(int), (intmax_t)-5, (ptrdiff_t)9);
  char buffer[16];
  int wanted = snprintf(buffer, sizeof buffer, "%s and %s", long_text, long_text);
  printf("[%s] %d\n", buffer, wanted);
  int a, n;
  unsigned b;
  char word[16];
  double d;
  int found = sscanf("  -17 0x1f word 2.5e3 rest", "%d %x %15s %lf%n", &a, &b, word, &d, &n);
  printf("%d: %d %u %s %g %d\n", found, a, b, word, d, n);
}

static void numbers(void) {
  static const char *texts[] = {"123", "-0x7f", "077", "99999999999999999999", "-99999999999999999999", "12abc", "", "zz"};
  for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    char *end;
    errno = 0;
    long value = strtol(texts[i], &end, 0);
    printf("%s: %ld '%s' %d, base 36 %ld\n", texts[i], value, end, errno == ERANGE, strtol(texts[i], NULL, 36));
  }
}

/* Every alignment and length, against bytes that are copied one by one. */
static void memory(void) {
  static uint8_t from[256], to[256], model[256];
  unsigned wrong = 0;
  for (int i = 0; i < 256; i++) from[i] = (uint8_t)(i * 37 + 11);
  for (int a = 0; a < 16; a += 1 + a / 8)
    for (int b = 0; b < 16; b += 3)
      for (unsigned n = 0; n < 80; n += 1 + n / 16) {
        memset(to, 0xee, sizeof to), memset(model, 0xee, sizeof model);
        memcpy(to + a, from + b, n);
        for (unsigned i = 0; i < n; i++) model[a + i] = from[b + i];
        wrong += memcmp(to, model, sizeof to) != 0;
        memcpy(to, from, sizeof to), memcpy(model, from, sizeof model);
        memmove(to + a, to + b, n);
        for (unsigned i = 0; i < n; i++) model[a + i] = from[b + i];
        wrong += memcmp(to, model, sizeof to) != 0;
        memset(to + a, b, n);
        for (unsigned i = 0; i < n; i++) model[a + i] = (uint8_t)b;
        wrong += memcmp(to, model, sizeof to) != 0;
      }
  printf("memory: %u wrong\n", wrong);
}

static void strings(void) {
  char text[100] = "one,two,,three;four";
  for (char *part = strtok(text, ",;"); part != NULL; part = strtok(NULL, ",;")) printf("<%s:%zu>", part, strlen(part));
  printf("\n%d %d %s %s %zu %zu\n", strcmp("abc", "abd") < 0, strncmp("abc", "abd", 2), strchr("hello", 'l'), strstr("a needle", "need"),
         strspn("aabbc", "ab"), strcspn("hello", "lo"));
  for (int length = 0; length < 40; length++) {
    char word[64];
    memset(word, 'a', sizeof word);
    word[length + 5] = '\0';
    if (strlen(word + 5) != (size_t)length) printf("strlen is wrong at %d\n", length);
  }
  unsigned classes = 0;
  for (int c = 0; c < 128; c++) classes = classes * 5 + (isalpha(c) != 0) + 2 * (isdigit(c) != 0) + 4 * (ispunct(c) != 0) + (toupper(c) != c);
  printf("classes %08x, wide %zu\n", classes, wcslen(L"gr\u00fc\u00dfe"));
}

static double total(const char *kinds, ...) {
  va_list list;
  double sum = 0;
  va_start(list, kinds);
  for (; *kinds != '\0'; kinds++) {
    if (*kinds == 'i') sum += va_arg(list, int);
    if (*kinds == 'l') sum += (double)va_arg(list, long);
    if (*kinds == 'd') sum += va_arg(list, double);
    if (*kinds == 's') sum += (double)strlen(va_arg(list, const char *));
  }
  va_end(list);
  return sum;
}

int main(void) {
  formats();
  numbers();
  memory();
  strings();
  printf("total %.3f\n", total("idlsdiidlsdd", 1, 2.5, 3L, "four", 5.25, 6, 7, 8.125, 9L, "ten chars.", 11.5, 12.75));
  return 0;
}
