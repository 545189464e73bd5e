/* How long it takes from a sample to the alarm it raises: publishes a temperature that is too high every PERIOD
 * milliseconds (and fine again in between) and listens to the alarm's topic.
 *
 * alarm_probe PORT TOPIC ALARM_TOPIC COUNT PERIOD
 * Prints "number sent received" in seconds of the wall clock; received 0: it never came. The value of
 * number n is 100 + n / 1000. */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile int connected, subscribed;
static int count;
static double *sent, *received;

static double wall_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_connect(struct mosquitto *m, void *context, int code) {
  (void)m, (void)context;
  connected = code == 0;
}

static void on_subscribe(struct mosquitto *m, void *context, int id, int n, const int *granted) {
  (void)m, (void)context, (void)id, (void)n, (void)granted;
  subscribed = 1;
}

static void on_message(struct mosquitto *m, void *context, const struct mosquitto_message *message) {
  (void)m, (void)context;
  double now = wall_now();
  char text[4096];
  int length = message->payloadlen < 4095 ? message->payloadlen : 4095;
  memcpy(text, message->payload, (size_t)length);
  text[length] = 0;
  if (!strstr(text, "\"state\":\"unacknowledged\"")) return;
  char *place = strstr(text, "\"value\":");
  if (!place) return;
  int number = (int)((atof(place + 8) - 100) * 1000 + 0.5);
  if (number >= 0 && number < count && received[number] == 0) received[number] = now;
}

static void run(struct mosquitto *m, double until) {
  double left;
  while ((left = until - wall_now()) > 0) mosquitto_loop(m, left > 0.002 ? 1 : 0, 1);
}

int main(int argc, char **argv) {
  if (argc < 6) return 64;
  count = atoi(argv[4]);
  double period = atof(argv[5]) / 1000;
  sent = calloc((size_t)count, sizeof *sent);
  received = calloc((size_t)count, sizeof *received);
  mosquitto_lib_init();
  struct mosquitto *m = mosquitto_new(NULL, true, NULL);
  mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_callback_set(m, on_connect);
  mosquitto_subscribe_callback_set(m, on_subscribe);
  mosquitto_message_callback_set(m, on_message);
  if (mosquitto_connect(m, "127.0.0.1", atoi(argv[1]), 60)) return 1;
  while (!connected) mosquitto_loop(m, 10, 1);
  mosquitto_subscribe(m, NULL, argv[3], 0);
  while (!subscribed) mosquitto_loop(m, 10, 1);
  double next = wall_now();
  for (int n = 0; n < count; n++) {
    char payload[128];
    int length = snprintf(payload, sizeof payload, "{\"ts\": %lld, \"temperature\": %.3f}",
                          (long long)(wall_now() * 1000), 100 + n / 1000.0);
    sent[n] = wall_now();
    mosquitto_publish(m, NULL, argv[2], length, payload, 1, false);
    run(m, next + period / 2);
    length = snprintf(payload, sizeof payload, "{\"ts\": %lld, \"temperature\": 20}",
                      (long long)(wall_now() * 1000));
    mosquitto_publish(m, NULL, argv[2], length, payload, 1, false);
    next += period;
    run(m, next);
  }
  run(m, wall_now() + 2);
  for (int n = 0; n < count; n++) printf("%d %.6f %.6f\n", n, sent[n], received[n]);
  mosquitto_disconnect(m);
  return 0;
}
