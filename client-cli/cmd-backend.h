#pragma once

#include "client-cli/command.h"
#include "client-cli/json.h"
#include "common/parse.h"

/* longrun backend: each in a file of its own, but for the short ones. */

extern const Option backend_json_options[], backend_watch_options[], backend_request_options[];

int cmd_backend_check(const Invocation *inv);
int cmd_backend_watch(const Invocation *inv);
int cmd_backend_request(const Invocation *inv);

/* The names that were given, an array of JSON, each once. NULL after a message. */
cJSON *backend_names_given(const Invocation *inv);

const char *backend_state_colour(const char *state);
/* Why it is not online, "" when it is or nothing is said. */
const char *backend_reason(const cJSON *backend);
/* "1.2ms" into buf, which it gives; "-" when there was no good answer yet. */
const char *backend_format_latency(char buf[FORMAT_MAX], const cJSON *backend);
