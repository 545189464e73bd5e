#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/timex.h>

/* Calls of a variadic function of C that was looked up by name, which Swift cannot make: with an option and a
 * number, an address or a function. The type is that of curl_easy_setopt and curl_easy_getinfo. */
typedef int millwright_option_call(void *handle, int option, ...);

static inline int millwright_set_number(void *call, void *handle, int option, long value) {
  return ((millwright_option_call *)call)(handle, option, value);
}

static inline int millwright_set_address(void *call, void *handle, int option, const void *value) {
  return ((millwright_option_call *)call)(handle, option, value);
}

static inline int millwright_get_number(void *call, void *handle, int option, long *value) {
  return ((millwright_option_call *)call)(handle, option, value);
}
