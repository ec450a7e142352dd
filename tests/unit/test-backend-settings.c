/* Settings of backends: from a file, their rules, and all of them together. */

#include <errno.h>

#include "common/strv.h"
#include "daemon/core/backend-rules.h"
#include "tests/unit/unit.h"

static BackendSettings *settings_new(void) {
    BackendSettings *s = backend_settings_new();

    ck_assert_ptr_nonnull(s);
    return s;
}

static int parse(BackendSettings *s, const char *key, const char *value, Error *error) {
    const BackendSetting *setting = backend_setting_by_key(key);

    ck_assert_msg(setting, "%s", key);
    return backend_setting_parse(s, setting, value, error);
}

/* "Key=Value Key=Value"; a '_' in a value stands for a blank. */
static void parse_all(BackendSettings *s, const char *text) {
    char *copy = strdup(text), *rest = copy, *word;

    ck_assert_ptr_nonnull(copy);
    while ((word = strsep(&rest, " "))) {
        char *value = strchr(word, '=');
        Error error = {};
        ck_assert_ptr_nonnull(value);
        *value++ = '\0';
        for (char *c = value; *c; c++)
            *c = *c == '_' ? ' ' : *c;
        ck_assert_msg(parse(s, word, value, &error) == 0, "%s=%s", word, value);
    }
    free(copy);
}

/* ---- the table ---- */

START_TEST(test_table) {
    size_t n = 0;

    for (const BackendSetting *s = backend_settings(); s->name; s++, n++) {
        ck_assert_ptr_eq(backend_setting_by_name(s->name), s);
        ck_assert_ptr_eq(backend_setting_by_key(s->key), s);
    }
    ck_assert_uint_eq(n, 21);
    ck_assert_ptr_null(backend_setting_by_name("Url"));
    ck_assert_ptr_null(backend_setting_by_key("url"));
}
END_TEST

START_TEST(test_defaults) {
    BackendSettings *s = settings_new();

    ck_assert_str_eq(s->url, "");
    ck_assert_str_eq(s->type, "json");
    ck_assert_uint_eq(s->status_interval_usec, 10 * USEC_PER_SEC);
    ck_assert_uint_eq(s->poll_interval_usec, 2 * USEC_PER_SEC);
    ck_assert_uint_eq(s->timeout_usec, 5 * USEC_PER_SEC);
    ck_assert_uint_eq(s->response_max, 8 * MIB);
    ck_assert_uint_eq(s->backoff_max_usec, 60 * USEC_PER_SEC);
    ck_assert_uint_eq(s->failure_threshold, 1);
    ck_assert_uint_eq(s->success_threshold, 1);
    ck_assert(s->polling);
    ck_assert_ptr_null(s->expect);
    backend_settings_free(s);
    ck_assert_ptr_null(backend_settings_free(NULL));
}
END_TEST

/* ---- from a file ---- */

START_TEST(test_parse) {
    BackendSettings *s = settings_new();

    parse_all(s, "Url=http://h StatusIntervalSec=500ms PollIntervalSec=1min_30s TimeoutSec=2 "
                 "ConnectTimeoutSec=0 ResponseMax=64K FailureThreshold=3 Polling=no Expect=/a_==_1 "
                 "Expect=/b_==_2 CaFile=");
    ck_assert_str_eq(s->url, "http://h");
    ck_assert_uint_eq(s->status_interval_usec, 500 * USEC_PER_MSEC);
    ck_assert_uint_eq(s->poll_interval_usec, 90 * USEC_PER_SEC);
    ck_assert_uint_eq(s->timeout_usec, 2 * USEC_PER_SEC);
    ck_assert_uint_eq(s->response_max, 64 * KIB);
    ck_assert_uint_eq(s->failure_threshold, 3);
    ck_assert(!s->polling);
    ck_assert_uint_eq(strv_length(s->expect), 2);
    ck_assert_str_eq(s->expect[1], "/b == 2");
    /* An empty one forgets those before. */
    parse_all(s, "Expect= Expect=/c_==_3 Url=http://other");
    ck_assert_uint_eq(strv_length(s->expect), 1);
    ck_assert_str_eq(s->expect[0], "/c == 3");
    ck_assert_str_eq(s->url, "http://other");
    backend_settings_free(s);
}
END_TEST

static const struct {
    const char *key, *value, *error;
} bad_values[] = {
    {"StatusIntervalSec", "often", "StatusIntervalSec=often is not valid, it wants a time span"},
    {"StatusIntervalSec", "99ms", "StatusIntervalSec is out of bounds: it can be from 100ms to"},
    {"StatusIntervalSec", "8d", "StatusIntervalSec is out of bounds"},
    {"PollIntervalSec", "infinity", "PollIntervalSec is out of bounds"},
    {"TimeoutSec", "0", "TimeoutSec is out of bounds: it can be from 10ms to"},
    {"ResponseMax", "much", "it wants a size"},
    {"ResponseMax", "65M", "it can be from 1B to 64.0M"},
    {"ResponseMax", "0", "it can be from 1"},
    {"FailureThreshold", "0", "it can be from 1 to 1000"},
    {"FailureThreshold", "-1", "it wants a number"},
    {"SuccessThreshold", "4294967297", "it can be from 1 to 1000"},
    {"Polling", "perhaps", "it wants yes or no"},
};

START_TEST(test_bad_value) {
    BackendSettings *s = settings_new(), *untouched = settings_new();
    Error error = {};

    ck_assert_int_eq(parse(s, bad_values[_i].key, bad_values[_i].value, &error), -EREMOTE);
    ck_assert_int_eq(error.code, ERROR_INVALID_OPTION);
    ck_assert_msg(strstr(error.message, bad_values[_i].error), "%s", error.message);
    ck_assert(backend_settings_equal(s, untouched));
    error_done(&error);
    backend_settings_free(s);
    backend_settings_free(untouched);
}
END_TEST

START_TEST(test_many_expectations) {
    BackendSettings *s = settings_new();
    Error error = {};

    for (size_t i = 0; i < EXPECTATIONS_MAX; i++)
        ck_assert_int_eq(parse(s, "Expect", "/a == 1", &error), 0);
    ck_assert_int_eq(parse(s, "Expect", "/a == 1", &error), -EREMOTE);
    error_done(&error);
    backend_settings_free(s);
}
END_TEST

/* ---- the rules ---- */

static const struct {
    const char *text, *error; /* NULL: they are good */
} rules[] = {
    {"Url=http://localhost:8080", NULL},
    {"Url=https://api.example.org/v1/", NULL},
    {"Url=HTTP://192.0.2.7:1", NULL},
    {"Url=http://[::1]:8080/x", NULL},
    {"Url=http://[2001:db8::1]", NULL},
    {"Url=http://h/a%20b@c", NULL},
    {"Polling=yes", "there is no url"},
    {"Url=localhost:8080", "neither http:// nor https://"},
    {"Url=ftp://h", "neither http:// nor https://"},
    {"Url=file:///etc/passwd", "neither http:// nor https://"},
    {"Url=http://", "there is no host"},
    {"Url=http:///x", "there is no host"},
    {"Url=http://:80", "there is no host"},
    {"Url=http://h:0", "the port is"},
    {"Url=http://h:65536", "the port is"},
    {"Url=http://h:", "the port is"},
    {"Url=http://h:80x", "the port is"},
    {"Url=http://[::1", "no IPv6 address"},
    {"Url=http://[h]", "no IPv6 address"},
    {"Url=http://[::1]x", "the port is"},
    {"Url=http://h/?a=1", "a query or fragment"},
    {"Url=http://h/#a", "a query or fragment"},
    {"Url=http://h/a_b", "written as %XX"},
    {"Url=http://h\\i", "written as %XX"},
    {"Url=http://h/\xc3\xbc", "written as %XX"},
    {"Url=http://\xff", "is not UTF-8"},
    {"Url=http://h!", "the host is a name"},
    {"Url=http://user@h", "there is a user or password"},
    {"Url=http://user:secret@h", "there is a user or password"},
    {"Url=http://user:se/cret@h", "the url is not valid"},
    {"Url=user:secret@h", "the url is not valid"},
    {"Url=http://h Type=soap", "there is no type \"soap\""},
    {"Url=http://h StatusPath=status", "does not begin with /"},
    {"Url=http://h StatusPath=/a_b", "written as %XX"},
    {"Url=http://h PollPath=http://h/x", "does not begin with /"},
    {"Url=http://h PollPath=/x?since=1&a=b", NULL},
    {"Url=http://h PollPath=/x#y", "written as %XX"},
    {"Url=http://h ExpectStatus=200-299,304", NULL},
    {"Url=http://h ExpectStatus=ok", "expect-status \"ok\" is not valid"},
    {"Url=http://h Expect=/a_==_1", NULL},
    {"Url=http://h Expect=/a", "is not POINTER == VALUE"},
    {"Url=https://h CaFile=/etc/ca.pem ClientCert=/c.pem ClientKey=/k.pem", NULL},
    {"Url=https://h CaFile=ca.pem", "ca-file \"ca.pem\" is not absolute"},
    {"Url=https://h ClientCert=c.pem", "client-cert \"c.pem\" is not absolute"},
    {"Url=https://h ClientKey=/k.pem", "client-key is for a client-cert"},
    {"Url=http://h CaFile=/ca.pem", "ca-file is for an url that begins with https://"},
    {"Url=http://h ClientCert=/c.pem", "client-cert is for an url that begins with https://"},
    {"Url=https://h Auth=bearer Credential=/run/token", NULL},
    {"Url=https://h Auth=basic Credential=my.token", NULL},
    {"Url=https://h Auth=digest Credential=/run/token", "auth is bearer or basic"},
    {"Url=https://h Auth=bearer", "auth needs a credential"},
    {"Url=https://h Credential=/run/token", "credential is for auth"},
    {"Url=https://h Auth=bearer Credential=run/token", "an absolute path, or the name"},
    {"Url=https://h Auth=bearer Credential=..", "an absolute path, or the name"},
    {"Url=http://h Auth=bearer Credential=t", "for all to read: use https://"},
    {"Url=http://127.0.0.1.example.org Auth=bearer Credential=t", "for all to read"},
    {"Url=http://localhost.example.org Auth=bearer Credential=t", "for all to read"},
    {"Url=http://notlocalhost Auth=bearer Credential=t", "for all to read"},
    {"Url=http://localhost:8080 Auth=bearer Credential=t", NULL},
    {"Url=http://api.localhost Auth=bearer Credential=t", NULL},
    {"Url=http://127.9.9.9 Auth=bearer Credential=t", NULL},
    {"Url=http://[::1]:80 Auth=bearer Credential=t", NULL},
};

START_TEST(test_rule) {
    BackendSettings *s = settings_new();
    Error error = {};

    parse_all(s, rules[_i].text);
    ck_assert_msg(backend_settings_check(s, &error) == (rules[_i].error ? -EREMOTE : 0), "%s: %s",
                  rules[_i].text, strempty(error.message));
    if (rules[_i].error)
        ck_assert_msg(strstr(error.message, rules[_i].error), "%s", error.message);
    /* What may be a password is not shown. */
    ck_assert(!strstr(strempty(error.message), "user:"));
    error_done(&error);
    backend_settings_free(s);
}
END_TEST

START_TEST(test_filled_in) {
    static const struct {
        const char *text, *url, *status_path;
    } cases[] = {
        {"Url=http://h:80//", "http://h:80", ""},
        {"Url=http://h/api/ Type=messenger", "http://h/api", "/api/status"},
        {"Url=http://h StatusPath=/health", "http://h", "/health"},
    };
    BackendSettings *s = settings_new(), *copy;
    Error error = {};

    parse_all(s, cases[_i].text);
    ck_assert_int_eq(backend_settings_check(s, &error), 0);
    ck_assert_str_eq(s->url, cases[_i].url);
    ck_assert_str_eq(s->status_path, cases[_i].status_path);
    /* Once more changes nothing. */
    copy = backend_settings_copy(s);
    ck_assert_int_eq(backend_settings_check(s, &error), 0);
    ck_assert(backend_settings_equal(s, copy));
    backend_settings_free(s);
    backend_settings_free(copy);
}
END_TEST

/* Numbers that come by D-Bus are held to the same bounds. */
START_TEST(test_numbers) {
    BackendSettings *s = settings_new();
    Error error = {};

    parse_all(s, "Url=http://h");
    s->poll_interval_usec = 0;
    ck_assert_int_eq(backend_settings_check(s, &error), -EREMOTE);
    ck_assert_msg(strstr(error.message, "poll-interval is out of bounds"), "%s", error.message);
    error_done(&error);
    s->poll_interval_usec = USEC_PER_SEC;
    s->success_threshold = 1001;
    ck_assert_int_eq(backend_settings_check(s, &error), -EREMOTE);
    ck_assert_msg(strstr(error.message, "success-threshold"), "%s", error.message);
    error_done(&error);
    backend_settings_free(s);
}
END_TEST

START_TEST(test_long) {
    BackendSettings *s = settings_new();
    Error error = {};
    char url[BACKEND_TEXT_MAX + 2];

    memset(url, 'a', sizeof(url));
    memcpy(url, "http://h/", strlen("http://h/"));
    url[BACKEND_TEXT_MAX + 1] = '\0';
    ck_assert_int_eq(parse(s, "Url", url, &error), 0);
    ck_assert_int_eq(backend_settings_check(s, &error), -EREMOTE);
    error_done(&error);
    url[BACKEND_TEXT_MAX] = '\0';
    ck_assert_int_eq(parse(s, "Url", url, &error), 0);
    ck_assert_int_eq(backend_settings_check(s, &error), 0);
    ck_assert_int_eq(parse(s, "StatusPath", "/a\x1b[2J", &error), 0);
    ck_assert_int_eq(backend_settings_check(s, &error), -EREMOTE);
    ck_assert_msg(strstr(error.message, "control character in status-path"), "%s", error.message);
    error_done(&error);
    backend_settings_free(s);
}
END_TEST

/* ---- all of them ---- */

START_TEST(test_equal) {
    static const char *const changes[] = {
        "Url=http://x",       "Type=messenger",  "StatusIntervalSec=1", "Polling=no",
        "FailureThreshold=9", "Expect=/a_==_1",  "ResponseMax=1K",      "Credential=x",
        "PollPath=/x",        "ExpectTimeSec=1", "ExpectStatus=200",
    };
    BackendSettings *s = settings_new(), *copy;

    parse_all(s, "Url=http://h Expect=/a_==_2");
    copy = backend_settings_copy(s);
    ck_assert_ptr_nonnull(copy);
    ck_assert(backend_settings_equal(s, copy));
    ck_assert_ptr_ne(s->url, copy->url);
    parse_all(copy, changes[_i]);
    ck_assert(!backend_settings_equal(s, copy));
    ck_assert(!backend_settings_equal(copy, s));
    backend_settings_free(s);
    backend_settings_free(copy);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-settings");
    TCase *t = tcase_create("backend-settings");

    tcase_add_test(t, test_table);
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_parse);
    tcase_add_loop_test(t, test_bad_value, 0, ELEMENTSOF(bad_values));
    tcase_add_test(t, test_many_expectations);
    tcase_add_loop_test(t, test_rule, 0, ELEMENTSOF(rules));
    tcase_add_loop_test(t, test_filled_in, 0, 3);
    tcase_add_test(t, test_numbers);
    tcase_add_test(t, test_long);
    tcase_add_loop_test(t, test_equal, 0, 11);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
