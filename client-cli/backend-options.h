#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/backend-option-table.h"
#include "client-cli/json.h"

/* The settings of a backend, as options and behind --set. */

/* clang-format off */
#define BACKEND_OPTIONS                                                                            \
    {OPT_TYPE, 't', "type", "TYPE", "json, or messenger (json)"},                                  \
    {OPT_SET, 's', "set", "NAME=VALUE", "any setting, see below; may be given several times"},     \
    OPTIONS_HEADING("What is asked for"),                                                          \
    {OPT_STATUS_PATH, 0, "status-path", "PATH", "tells whether it is online"},                     \
    {OPT_STATUS_INTERVAL, 0, "status-interval", "TIME", "how often that is asked (10s)"},          \
    {OPT_POLL_PATH, 0, "poll-path", "PATH", "what is polled, to tell when it changes"},            \
    {OPT_POLL_INTERVAL, 0, "poll-interval", "TIME", "how often that is asked (2s)"},               \
    {OPT_NO_POLLING, 0, "no-polling", NULL, "poll nothing by itself, till \"longrun backend start\""}, \
    {OPT_TIMEOUT, 0, "timeout", "TIME", "of each request (5s)"},                                   \
    OPTIONS_HEADING("What is a good answer"),                                                      \
    {OPT_EXPECT, 'e', "expect", "EXPRESSION", "JSON that the status must have: '/state == \"up\"'"}, \
    {OPT_EXPECT_STATUS, 0, "expect-status", "CODES", "HTTP status codes, as in 200-299,304 (200-299)"}, \
    {OPT_FAILURE_THRESHOLD, 0, "failure-threshold", "N", "bad answers in a row until it is offline (1)"}, \
    {OPT_SUCCESS_THRESHOLD, 0, "success-threshold", "N", "good ones in a row until it is online (1)"}, \
    OPTIONS_HEADING("Trust"),                                                                      \
    {OPT_CA_FILE, 0, "ca-file", "FILE", "certificates to trust, PEM, instead of the system's"},    \
    {OPT_CLIENT_CERT, 0, "client-cert", "FILE", "certificate to show, PEM"},                       \
    {OPT_CLIENT_KEY, 0, "client-key", "FILE", "its key, PEM"},                                     \
    {OPT_AUTH, 0, "auth", "HOW", "bearer, or basic"},                                              \
    {OPT_CREDENTIAL, 0, "credential", "FILE", "has the token, or user:password; or a systemd credential"}

#define BACKEND_SETTINGS_HELP                                                                      \
    "Settings for --set: type, status-path, status-interval, poll-path, poll-interval, polling,\n" \
    "timeout, connect-timeout, response-max, failure-threshold, success-threshold, backoff-max,\n" \
    "expect-status, expect (one more each time), expect-time, ca-file, client-cert, client-key, auth,\n" \
    "credential. longrund(8) tells what they mean."
/* clang-format on */

/* Appends to the open a{sv} of a call the settings that were given; the last one of a name counts.
 * 0; EXIT_USAGE, EXIT_FAILURE or -errno after a message. */
int backend_options_append(const Invocation *inv, sd_bus_message *call);

/* The value that a backend has of a setting, as it would be given. Fresh string, "" when there is
 * nothing to say of it: it is missing, 0 or empty, or shown elsewhere. */
char *backend_option_format(const BackendOption *o, const cJSON *value);
