/* Random walks of two decimals (sigma 0.05) as text, for the databases Millwright is compared with.
 *
 * walks vm|csv SERIES SAMPLES STEP_MS KIND
 * vm: lines for VictoriaMetrics' /api/v1/import; csv: series,milliseconds,value.
 * KIND as of `millwright bench size`: walk, jitter (sigma 5 ms), slow, constant, state.
 * From 2023-11-14T22:13:20Z. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 10000 };

static uint64_t state = 42;

static double uniform(void) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double gauss(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

static void print_decimal(long hundredths) {
  if (hundredths < 0) putchar_unlocked('-'), hundredths = -hundredths;
  char text[24];
  int length = snprintf(text, sizeof text, "%ld.%02ld", hundredths / 100, hundredths % 100);
  fwrite(text, 1, (size_t)length, stdout);
}

int main(int argc, char **argv) {
  if (argc < 6) return 64;
  int is_vm = strcmp(argv[1], "vm") == 0;
  long series = atol(argv[2]), samples = atol(argv[3]), step = atol(argv[4]);
  const char *kind = argv[5];
  int is_state = strcmp(kind, "state") == 0, is_constant = strcmp(kind, "constant") == 0;
  int jitters = strcmp(kind, "jitter") == 0;
  static long values[BLOCK];
  static long long times[BLOCK];
  for (long s = 0; s < series; s++) {
    long value = 2000 + (long)(uniform() * 6000);
    for (long done = 0; done < samples; done += BLOCK) {
      long count = samples - done < BLOCK ? samples - done : BLOCK;
      for (long i = 0; i < count; i++) {
        if (is_state) {
          if (uniform() < 0.001) value = (long)(uniform() * 6) * 100;
        } else if (!is_constant) {
          value += lround(gauss() * 5);
        }
        values[i] = value;
        times[i] = 1700000000000LL + (done + i) * step + (jitters ? lround(gauss() * 5) : 0);
      }
      if (!is_vm) {
        for (long i = 0; i < count; i++) {
          printf("%ld,%lld,", s, times[i]);
          print_decimal(values[i]);
          putchar_unlocked('\n');
        }
        continue;
      }
      printf("{\"metric\":{\"__name__\":\"value\",\"device\":\"walk%ld\"},\"values\":[", s);
      for (long i = 0; i < count; i++) {
        if (i) putchar_unlocked(',');
        print_decimal(values[i]);
      }
      fputs("],\"timestamps\":[", stdout);
      for (long i = 0; i < count; i++) printf(i ? ",%lld" : "%lld", times[i]);
      fputs("]}\n", stdout);
    }
  }
  return fflush(stdout) != 0;
}
