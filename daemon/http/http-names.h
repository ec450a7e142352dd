#pragma once

#include <systemd/sd-event.h>

#include "common/macro.h"

/* Host names to addresses. getaddrinfo(3) knows no other way than to wait for the answer, and so
 * does so in threads of its own, a bounded number of them: one for a name, however many want to
 * know. Nobody waits for a thread, not even when this goes: it is left alone with what it needs. */

typedef struct HttpNames HttpNames;

/* func is called from the loop when something is known of a name that was waited for. */
typedef void (*HttpNamesFunc)(void *userdata, const char *name);
int http_names_new(HttpNames **ret, sd_event *event, int64_t priority, HttpNamesFunc func,
                   void *userdata);
HttpNames *http_names_free(HttpNames *n); /* NULL-safe, gives NULL */

#define HTTP_NAME_MAX 255

/* 1 and the addresses, as "192.0.2.1,[2001:db8::1]", to be used at once; 0: func tells later; or
 * what came of it a moment ago: -ENOENT (no such name), -EAGAIN (it cannot be resolved now),
 * -ENOMEM, -EIO. */
int http_names_find(HttpNames *n, const char *name, const char **ret);
