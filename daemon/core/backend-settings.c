#include "daemon/core/backend-settings.h"

#include <errno.h>
#include <stdlib.h>

#include "common/parse.h"
#include "common/strv.h"
#include "daemon/core/backend-rules.h"

/* ---- the table ---- */

#define SETTING(name, key, type, field, ...)                                                       \
    { name, key, type, offsetof(BackendSettings, field), __VA_ARGS__ }
#define SPAN BACKEND_SETTING_SPAN

static const BackendSetting settings[] = {
    /* clang-format off */
    SETTING("url",               "Url",              "s",  url),
    SETTING("type",              "Type",             "s",  type),
    SETTING("status-path",       "StatusPath",       "s",  status_path),
    SETTING("status-interval",   "StatusIntervalSec", "t", status_interval_usec, SPAN,
            BACKEND_INTERVAL_MIN, BACKEND_INTERVAL_LIMIT),
    SETTING("poll-path",         "PollPath",         "s",  poll_path),
    SETTING("poll-interval",     "PollIntervalSec",  "t",  poll_interval_usec, SPAN,
            BACKEND_INTERVAL_MIN, BACKEND_INTERVAL_LIMIT),
    SETTING("polling",           "Polling",          "b",  polling),
    SETTING("timeout",           "TimeoutSec",       "t",  timeout_usec, SPAN,
            BACKEND_TIMEOUT_MIN, BACKEND_TIMEOUT_LIMIT),
    SETTING("connect-timeout",   "ConnectTimeoutSec", "t", connect_timeout_usec, SPAN,
            0, BACKEND_TIMEOUT_LIMIT),
    SETTING("response-max",      "ResponseMax",      "t",  response_max, BACKEND_SETTING_SIZE,
            1, BACKEND_RESPONSE_LIMIT),
    SETTING("failure-threshold", "FailureThreshold", "u",  failure_threshold, 0,
            1, BACKEND_THRESHOLD_LIMIT),
    SETTING("success-threshold", "SuccessThreshold", "u",  success_threshold, 0,
            1, BACKEND_THRESHOLD_LIMIT),
    SETTING("backoff-max",       "BackoffMaxSec",    "t",  backoff_max_usec, SPAN,
            BACKEND_INTERVAL_MIN, BACKEND_INTERVAL_LIMIT),
    SETTING("expect-status",     "ExpectStatus",     "s",  expect_status),
    SETTING("expect",            "Expect",           "as", expect),
    SETTING("expect-time",       "ExpectTimeSec",    "t",  expect_time_usec, SPAN,
            0, BACKEND_TIMEOUT_LIMIT),
    SETTING("ca-file",           "CaFile",           "s",  ca_file),
    SETTING("client-cert",       "ClientCert",       "s",  client_cert),
    SETTING("client-key",        "ClientKey",        "s",  client_key),
    SETTING("auth",              "Auth",             "s",  auth),
    SETTING("credential",        "Credential",       "s",  credential),
    /* clang-format on */
    {},
};

const BackendSetting *backend_settings(void) {
    return settings;
}

const BackendSetting *backend_setting_by_name(const char *name) {
    for (const BackendSetting *s = settings; s->name; s++)
        if (streq(s->name, name))
            return s;
    return NULL;
}

const BackendSetting *backend_setting_by_key(const char *key) {
    for (const BackendSetting *s = settings; s->name; s++)
        if (streq(s->key, key))
            return s;
    return NULL;
}

static void *field_of(BackendSettings *s, const BackendSetting *setting) {
    return (char *)s + setting->offset;
}

static const void *value_of(const BackendSettings *s, const BackendSetting *setting) {
    return (const char *)s + setting->offset;
}

/* ---- life ---- */

/* All strings are there, "" where nothing is said. */
static bool fill_strings(BackendSettings *s) {
    for (const BackendSetting *i = settings; i->name; i++) {
        char **field = field_of(s, i);
        if (!streq(i->type, "s") || *field)
            continue;
        *field = strdup("");
        if (!*field)
            return false;
    }
    return true;
}

BackendSettings *backend_settings_new(void) {
    BackendSettings *s = malloc(sizeof(BackendSettings));

    if (!s)
        return NULL;
    *s = (BackendSettings){
        .type = strdup(BACKEND_TYPE_JSON),
        .status_interval_usec = 10 * USEC_PER_SEC,
        .poll_interval_usec = 2 * USEC_PER_SEC,
        .polling = true,
        .timeout_usec = 5 * USEC_PER_SEC,
        .response_max = 8 * MIB,
        .failure_threshold = 1,
        .success_threshold = 1,
        .backoff_max_usec = 60 * USEC_PER_SEC,
    };
    if (!s->type || !fill_strings(s))
        return backend_settings_free(s);
    return s;
}

BackendSettings *backend_settings_free(BackendSettings *s) {
    if (!s)
        return NULL;
    for (const BackendSetting *i = settings; i->name; i++)
        if (streq(i->type, "s"))
            free(*(char **)field_of(s, i));
    strv_free(s->expect);
    free(s);
    return NULL;
}

/* ---- all of them ---- */

static bool copy_value(BackendSettings *to, const BackendSettings *from, const BackendSetting *i) {
    if (streq(i->type, "s")) {
        char *text = strdup(*(char *const *)value_of(from, i));
        *(char **)field_of(to, i) = text;
        return text;
    }
    if (streq(i->type, "as")) {
        char **list = strv_copy(*(char **const *)value_of(from, i));
        *(char ***)field_of(to, i) = list;
        return list;
    }
    return true;
}

BackendSettings *backend_settings_copy(const BackendSettings *s) {
    BackendSettings *copy = malloc(sizeof(BackendSettings));
    bool ok = true;

    if (!copy)
        return NULL;
    *copy = *s;
    for (const BackendSetting *i = settings; i->name; i++)
        ok = copy_value(copy, s, i) && ok;
    return ok ? copy : backend_settings_free(copy);
}

static bool strv_equal(char *const *a, char *const *b) {
    size_t n = strv_length(a);

    if (n != strv_length(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!streq(a[i], b[i]))
            return false;
    return true;
}

static bool value_equal(const void *a, const void *b, char type) {
    switch (type) {
    case 's':
        return streq(*(char *const *)a, *(char *const *)b);
    case 'a':
        return strv_equal(*(char **const *)a, *(char **const *)b);
    case 't':
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case 'u':
        return *(const uint32_t *)a == *(const uint32_t *)b;
    default:
        return *(const bool *)a == *(const bool *)b;
    }
}

bool backend_settings_equal(const BackendSettings *a, const BackendSettings *b) {
    for (const BackendSetting *i = settings; i->name; i++)
        if (!value_equal(value_of(a, i), value_of(b, i), i->type[0]))
            return false;
    return true;
}

/* ---- from the file ---- */

static int bad_value(const BackendSetting *setting, const char *value, const char *wants,
                     Error *error) {
    return error_set(error, ERROR_INVALID_OPTION, "%s=%.100s is not valid, it wants %s",
                     setting->key, value, wants);
}

/* What is no number at all; whether it is too small or too large, is said like on the bus. */
static int parse_number(const BackendSetting *setting, const char *value, uint64_t *ret,
                        Error *error) {
    int r = setting->flags & BACKEND_SETTING_SPAN   ? parse_span(value, ret)
            : setting->flags & BACKEND_SETTING_SIZE ? parse_size(value, ret)
                                                    : parse_u64(value, ret);

    if (r >= 0)
        return backend_number_check(setting, setting->key, *ret, error);
    return bad_value(setting, value,
                     setting->flags & BACKEND_SETTING_SPAN   ? "a time span, as 10s or 2min"
                     : setting->flags & BACKEND_SETTING_SIZE ? "a size, as 500K or 8M"
                                                             : "a number",
                     error);
}

static int set_string(char **field, const char *value) {
    char *copy = strdup(value);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

/* An empty value forgets what lines before have said, as systemd has it. */
static int add_string(const BackendSetting *setting, char ***field, const char *value,
                      Error *error) {
    size_t n = strv_length(*field);

    if (isempty(value)) {
        *field = strv_free(*field);
        return 0;
    }
    if (n >= BACKEND_EXPECT_MAX)
        return error_set(error, ERROR_INVALID_OPTION,
                         "there are more than %d lines %s=", BACKEND_EXPECT_MAX, setting->key);
    return strv_push(field, &n, strdup(value));
}

int backend_setting_parse(BackendSettings *s, const BackendSetting *setting, const char *value,
                          Error *error) {
    void *field = field_of(s, setting);
    uint64_t number;
    int r;

    switch (setting->type[0]) {
    case 's':
        return set_string(field, value);
    case 'a':
        return add_string(setting, field, value, error);
    case 'b':
        if (parse_bool(value, field) < 0)
            return bad_value(setting, value, "yes or no", error);
        return 0;
    default:
        r = parse_number(setting, value, &number, error);
        if (r < 0)
            return r;
        if (setting->type[0] == 't')
            *(uint64_t *)field = number;
        else
            *(uint32_t *)field = (uint32_t)number;
        return 0;
    }
}
