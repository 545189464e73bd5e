/* The baseline of the ingest figures: a subscriber that only counts, driven by mosquitto_loop_forever.
 * It acknowledges at once, as libmosquitto does, and so stores nothing.
 *
 * count_subscriber PORT CLIENT_ID MESSAGES [session]
 * Prints "ready" once subscribed, then "SECONDS CPU_SECONDS" from the first to the last message.
 * With "session" it subscribes, keeps the session and leaves. */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static long wanted, seen;
static double first_wall, first_cpu;
static int only_session;

static double wall_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_now(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void on_connect(struct mosquitto *m, void *context, int code, int flags, const mosquitto_property *p) {
  (void)context, (void)flags, (void)p;
  if (code != 0) {
    fprintf(stderr, "connection refused: %d\n", code);
    exit(1);
  }
  mosquitto_subscribe_v5(m, NULL, "bench/#", 1, 0, NULL);
}

static void on_subscribe(struct mosquitto *m, void *context, int id, int count, const int *qos,
                         const mosquitto_property *p) {
  (void)context, (void)id, (void)count, (void)qos, (void)p;
  printf("ready\n");
  fflush(stdout);
  if (only_session) mosquitto_disconnect(m);
}

static void on_message(struct mosquitto *m, void *context, const struct mosquitto_message *message,
                       const mosquitto_property *p) {
  (void)context, (void)message, (void)p;
  if (seen++ == 0) {
    first_wall = wall_now();
    first_cpu = cpu_now();
  }
  if (seen == wanted) {
    printf("%.6f %.6f\n", wall_now() - first_wall, cpu_now() - first_cpu);
    fflush(stdout);
    mosquitto_disconnect(m);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  wanted = atol(argv[3]);
  only_session = argc > 4 && strcmp(argv[4], "session") == 0;
  mosquitto_lib_init();
  struct mosquitto *m = mosquitto_new(argv[2], false, NULL);
  mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, 1000);
  mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_v5_callback_set(m, on_connect);
  mosquitto_subscribe_v5_callback_set(m, on_subscribe);
  mosquitto_message_v5_callback_set(m, on_message);
  mosquitto_property *properties = NULL;
  mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600);
  if (mosquitto_connect_bind_v5(m, "127.0.0.1", atoi(argv[1]), 60, NULL, properties)) return 1;
  mosquitto_loop_forever(m, 1000, 1);
  return 0;
}
