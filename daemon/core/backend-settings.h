#pragma once

#include "common/macro.h"
#include "daemon/core/error.h"
#include "daemon/core/option-values.h"

/* How a backend is reached and watched: what AddBackend takes, and a section of the configuration.
 * Said once, in a table. Never a secret: those lie in files, which are named here. */

typedef struct BackendSettings {
    char *url;  /* http or https, absolute, without query and fragment; no slash at its end */
    char *type; /* BACKEND_TYPE_* */

    char *status_path;             /* what a check asks for; "" = as the type has it */
    uint64_t status_interval_usec; /* 10 s */
    char *poll_path;               /* what is polled; "" = nothing, or what the type says */
    uint64_t poll_interval_usec;   /* 2 s */
    bool polling;                  /* from the beginning; StopPolling and StartPolling persist */

    uint64_t timeout_usec;         /* of one request, 5 s */
    uint64_t connect_timeout_usec; /* 0 = as timeout */
    uint64_t response_max;         /* bytes of an answer, 8 MiB */

    uint32_t failure_threshold; /* failed checks in a row that make it offline, 1 */
    uint32_t success_threshold; /* good ones in a row that make it online, 1 */
    uint64_t backoff_max_usec;  /* between checks of one that is offline, 60 s */

    char *expect_status;       /* codes that are good, as "200-299,304"; "" = 200-299 */
    char **expect;             /* of the JSON: "POINTER == VALUE", a pointer of RFC 6901 and JSON */
    uint64_t expect_time_usec; /* an answer that takes longer is a failure; 0 = none */

    char *ca_file;                  /* PEM; "" = those of the system */
    char *client_cert, *client_key; /* PEM files; "" = none */
    char *auth;                     /* "" = none, "bearer", "basic" (the secret is user:password) */
    char *credential; /* where the secret is: an absolute path, or the name of a credential of
                         systemd ($CREDENTIALS_DIRECTORY) */
} BackendSettings;

#define BACKEND_TYPE_JSON "json"
#define BACKEND_TYPE_MESSENGER "messenger"

typedef enum BackendSettingFlags {
    BACKEND_SETTING_SPAN = 1 << 0, /* t: microseconds; in the file a time span, "10s" */
    BACKEND_SETTING_SIZE = 1 << 1, /* t: bytes; in the file a size, "8M" */
} BackendSettingFlags;

typedef struct BackendSetting {
    const char *name; /* on the bus and in the database: "status-interval" */
    const char *key;  /* in the file: "StatusIntervalSec" */
    const char *type; /* of D-Bus: s, t, u, b, as */
    size_t offset;
    unsigned flags;
    uint64_t min, max; /* of t and u */
} BackendSetting;

const BackendSetting *backend_settings(void); /* ends with one that has no name */
const BackendSetting *backend_setting_by_name(const char *name);
const BackendSetting *backend_setting_by_key(const char *key);

BackendSettings *backend_settings_new(void); /* the defaults; NULL when memory is short */
BackendSettings *backend_settings_free(BackendSettings *s);
BackendSettings *backend_settings_copy(const BackendSettings *s);
bool backend_settings_equal(const BackendSettings *a, const BackendSettings *b);

/* Sets one from the text of the file (of an array: one more item). 0 or -EREMOTE or -ENOMEM. */
int backend_setting_parse(BackendSettings *s, const BackendSetting *setting, const char *value,
                          Error *error);

/* All of them together, and fills in what the type has defaults of (the status path of a messenger
 * is /api/status, that of others the url itself). Refused are: no url; one with a user or password
 * in it; auth without credential and the other way round; a credential over http to anything but
 * loopback; an expectation that does not parse; ... 0 or -EREMOTE. */
int backend_settings_check(BackendSettings *s, Error *error);
