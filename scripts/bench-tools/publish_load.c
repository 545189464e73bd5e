/* A publisher for the ingest figures: JSON of about 120 bytes with three metrics, QoS 1.
 *
 * publish_load PORT MESSAGES DEVICES RATE
 * RATE 0: as fast as the broker takes them; else messages a second. Each metric is a random walk of two
 * decimals (sigma 0.05), the time is that of sending in milliseconds. Ends when all are acknowledged. */
#include <math.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile long acknowledged;
static volatile int connected;
static uint64_t state = 42;

static double uniform(void) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double gauss(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

static double wall_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_connect(struct mosquitto *m, void *context, int code) {
  (void)m, (void)context;
  connected = code == 0;
}

static void on_publish(struct mosquitto *m, void *context, int id) {
  (void)m, (void)context, (void)id;
  acknowledged++;
}

int main(int argc, char **argv) {
  if (argc < 5) return 64;
  long messages = atol(argv[2]);
  int devices = atoi(argv[3]);
  double rate = atof(argv[4]);
  double *value = malloc(sizeof(double) * (size_t)devices * 3);
  for (int i = 0; i < devices * 3; i++) value[i] = 20 + uniform() * 60;
  mosquitto_lib_init();
  struct mosquitto *m = mosquitto_new(NULL, true, NULL);
  mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, 1000);
  mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_max_inflight_messages_set(m, 1000);
  mosquitto_connect_callback_set(m, on_connect);
  mosquitto_publish_callback_set(m, on_publish);
  if (mosquitto_connect(m, "127.0.0.1", atoi(argv[1]), 60)) return 1;
  while (!connected) mosquitto_loop(m, 10, 1);
  double start = wall_now();
  char topic[64], payload[256];
  for (long n = 0; n < messages; n++) {
    int device = (int)(n % devices);
    double *v = value + (size_t)device * 3;
    for (int i = 0; i < 3; i++) v[i] = round((v[i] + 0.05 * gauss()) * 100) / 100;
    snprintf(topic, sizeof topic, "bench/line%d/machine%d", device / 100, device);
    int length = snprintf(payload, sizeof payload,
                          "{\"ts\": %lld, \"temperature\": %.2f, \"vibration\": %.2f, \"power\": %.2f, "
                          "\"state\": null, \"order\": null, \"shift\": null}",
                          (long long)(wall_now() * 1000), v[0], v[1], v[2]);
    while (n - acknowledged >= 1000 && connected) mosquitto_loop(m, 100, 1);
    if (rate > 0) {
      double due = start + (double)n / rate;
      double wait = due - wall_now();
      while (wait > 0) {
        mosquitto_loop(m, wait > 0.01 ? 10 : 1, 1);
        wait = due - wall_now();
      }
    }
    mosquitto_publish(m, NULL, topic, length, payload, 1, false);
    if (n % 32 == 31) mosquitto_loop(m, 0, 1);
  }
  while (acknowledged < messages && connected) mosquitto_loop(m, 100, 1);
  printf("%.3f\n", wall_now() - start);
  mosquitto_disconnect(m);
  return connected ? 0 : 1;
}
