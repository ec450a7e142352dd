/* Requests to a backend: which urls it is asked for, and its secret, from the file to the header.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "daemon/http/http-client.h"
#include "daemon/http/http-secret.h"
#include "tests/unit/http-rig.h"
#include "tests/unit/unit.h"

static HttpRig rig;
static BackendSettings *settings;
static HttpClient *client;

static void setup(void) {
    http_rig_setup(&rig);
    settings = backend_settings_new();
    MUST(settings);
    free(settings->url);
    settings->url = strdup(http_rig_url(&rig, ""));
}

static void teardown(void) {
    client = http_client_free(client);
    settings = backend_settings_free(settings);
    http_rig_teardown(&rig);
}

static void set_string(char **field, const char *value) {
    free(*field);
    *field = strdup(value);
    MUST(*field);
}

static void use_secret(const char *auth, const char *credential) {
    set_string(&settings->auth, auth);
    set_string(&settings->credential, credential);
}

/* ---- calls ---- */

typedef struct Answer {
    unsigned told;
    int error;
    unsigned status;
    char body[4096];
} Answer;

static void on_done(void *userdata, const HttpReply *r) {
    Answer *a = userdata;

    a->told++;
    a->error = r->error;
    a->status = r->status;
    snprintf(a->body, sizeof(a->body), "%s", r->body);
}

static int ask(const HttpClientRequest *request, Answer *a, Error *error) {
    HttpCall *c;
    int r;

    *a = (Answer){};
    if (!client)
        MUST(http_client_new(&client, rig.loop, settings) == 0);
    r = http_client_call(client, request, on_done, a, &c, error);
    while (r == 0 && a->told == 0)
        http_rig_turn(&rig);
    return r;
}

static void get(const char *path, Answer *a) {
    _cleanup_error_ Error error = {};
    int r = ask(&(HttpClientRequest){.method = "GET", .path = path}, a, &error);

    ck_assert_msg(r == 0, "%d %s", r, strempty(error.message));
    ck_assert_int_eq(a->error, 0);
}

START_TEST(test_json) {
    HttpClientRequest r = {.method = "POST", .path = "/echo?a=b", .json = "{\"x\":1}"};
    Answer a;

    ck_assert_int_eq(ask(&r, &a, NULL), 0);
    MUST(strncmp(a.body, "POST /echo?a=b HTTP/1.1\r\n", 25) == 0);
    MUST(strstr(a.body, "\r\nContent-Type: application/json\r\n"));
    MUST(strstr(a.body, "\r\nAccept: application/json\r\n"));
    MUST(strstr(a.body, "\r\n\r\n{\"x\":1}"));
    MUST(!strstr(a.body, "Authorization"));
}
END_TEST

START_TEST(test_own_headers) {
    const char *const headers[] = {"content-type: application/merge-patch+json", "ACCEPT: */*",
                                   "Idempotency-Key: 7", NULL};
    HttpClientRequest r = {.method = "PATCH", .path = "/echo", .json = "{}", .headers = headers};
    Answer a;

    ck_assert_int_eq(ask(&r, &a, NULL), 0);
    MUST(strstr(a.body, "merge-patch+json\r\n") && strstr(a.body, "Idempotency-Key: 7\r\n"));
    MUST(!strstr(a.body, "application/json"));
}
END_TEST

START_TEST(test_own_limits) {
    HttpClientRequest r = {.method = "GET", .path = "/size/100", .response_max = 99};
    Answer a;

    ck_assert_int_eq(ask(&r, &a, NULL), 0);
    ck_assert_int_eq(a.error, -EMSGSIZE);
    r = (HttpClientRequest){.method = "GET", .path = "/hang", .timeout_usec = 1000};
    ck_assert_int_eq(ask(&r, &a, NULL), 0);
    ck_assert_int_eq(a.error, -ETIMEDOUT);
    http_client_free(client);
    client = NULL;
    settings->response_max = 50;
    settings->timeout_usec = 1000;
    r = (HttpClientRequest){.method = "GET", .path = "/hang"};
    ck_assert_int_eq(ask(&r, &a, NULL), 0);
    ck_assert_int_eq(a.error, -ETIMEDOUT);
}
END_TEST

START_TEST(test_absolute_url) {
    Answer a;

    get(http_rig_url(&rig, "/ok"), &a);
    ck_assert_str_eq(a.body, "hello");
}
END_TEST

static const char *const bad_paths[] = {
    "http://127.0.0.1:1/ok",  "https://127.0.0.1/", "http://elsewhere.example/", "/a b", "/a\r\nb",
    "http://user@127.0.0.1/",
};

START_TEST(test_bad_path) {
    HttpClientRequest r = {.method = "GET", .path = bad_paths[_i]};
    _cleanup_error_ Error error = {};
    Answer a;

    ck_assert_int_eq(ask(&r, &a, &error), -EREMOTE);
    ck_assert_int_eq(error.code, ERROR_INVALID_OPTION);
    ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
}
END_TEST

/* ---- secrets ---- */

static const char *secret_file(const char *text, mode_t mode) {
    unit_write("secret", text, strlen(text));
    MUST(chmod(unit_path("secret"), mode) == 0);
    return unit_path("secret");
}

START_TEST(test_bearer) {
    Answer a;

    use_secret("bearer", secret_file("hidden\n", 0600));
    get("/secret/hidden", &a);
    ck_assert_uint_eq(a.status, 200);
}
END_TEST

START_TEST(test_basic) {
    Answer a;

    use_secret("basic", secret_file("name:hidden\r\n", 0400));
    get("/echo", &a);
    MUST(strstr(a.body, "\r\nAuthorization: Basic bmFtZTpoaWRkZW4=\r\n"));
}
END_TEST

/* It is read when it is needed, not before; and again when the server refuses it. */
START_TEST(test_new_secret) {
    Answer a;

    use_secret("bearer", secret_file("old", 0600));
    get("/secret/old", &a);
    ck_assert_uint_eq(a.status, 200);
    secret_file("new", 0600);
    get("/secret/new", &a);
    ck_assert_uint_eq(a.status, 200);
    ck_assert_uint_eq(rig.requests, 3);
    get("/secret/new", &a);
    ck_assert_uint_eq(rig.requests, 4);
}
END_TEST

START_TEST(test_refused_secret) {
    Answer a;

    use_secret("bearer", secret_file("old", 0600));
    get("/secret/new", &a);
    ck_assert_uint_eq(a.status, 401);
    ck_assert_uint_eq(rig.requests, 1); /* the file has the same: it is not asked again */
    MUST(unlink(unit_path("secret")) == 0);
    get("/secret/new", &a);
    ck_assert_uint_eq(a.status, 401);
}
END_TEST

/* A call of before that is refused now does not get what is of another server. */
START_TEST(test_changed_settings) {
    Answer a = {};
    HttpCall *c;

    use_secret("bearer", secret_file("old", 0600));
    MUST(http_client_new(&client, rig.loop, settings) == 0);
    MUST(http_client_call(client, &(HttpClientRequest){.method = "GET", .path = "/secret/new"},
                          on_done, &a, &c, NULL) == 0);
    secret_file("new", 0600);
    set_string(&settings->url, "http://127.0.0.1:1");
    MUST(http_client_change(client, settings) == 0);
    while (a.told == 0)
        http_rig_turn(&rig);
    ck_assert_uint_eq(a.status, 401);
    ck_assert_uint_eq(rig.requests, 1);
}
END_TEST

static const struct {
    HttpAuthType auth;
    const char *text;
    mode_t mode;
    const char *why; /* NULL: it is good */
} files[] = {
    {HTTP_AUTH_BEARER, "hidden", 0600, NULL},
    {HTTP_AUTH_BEARER, "hidden", 0400, NULL},
    {HTTP_AUTH_BEARER, "hidden", 0640, "chmod 600"},
    {HTTP_AUTH_BEARER, "hidden", 0604, "chmod 600"},
    {HTTP_AUTH_BEARER, "hidden", 0620, "chmod 600"},
    {HTTP_AUTH_BEARER, "", 0600, "it is empty"},
    {HTTP_AUTH_BEARER, "\n", 0600, "it is empty"},
    {HTTP_AUTH_BEARER, "hidden\nhidden", 0600, "more than one line"},
    {HTTP_AUTH_BEARER, "hidden\n\n", 0600, "more than one line"},
    {HTTP_AUTH_BEARER, "hidden\rX: y", 0600, "more than one line"},
    {HTTP_AUTH_BEARER, "hid\001den", 0600, "control characters"},
    {HTTP_AUTH_BASIC, "name:hidden", 0600, NULL},
    {HTTP_AUTH_BASIC, "hidden", 0600, "has no colon"},
};

START_TEST(test_file) {
    _cleanup_error_ Error error = {};
    const char *path = secret_file(files[_i].text, files[_i].mode);
    char *secret = NULL;
    int r = http_secret_read(path, files[_i].auth, &secret, &error);

    if (files[_i].why) {
        ck_assert_int_eq(r, -EREMOTE);
        ck_assert_msg(strstr(error.message, files[_i].why), "%s", error.message);
        MUST(strstr(error.message, path) && !strstr(error.message, "hidden"));
    } else {
        ck_assert_int_eq(r, 0);
        ck_assert_str_eq(secret, files[_i].text);
    }
    http_secret_free(secret);
}
END_TEST

static void expect_unreadable(const char *credential, const char *why) {
    _cleanup_error_ Error error = {};
    char *secret = NULL;

    ck_assert_int_eq(http_secret_read(credential, HTTP_AUTH_BEARER, &secret, &error), -EREMOTE);
    ck_assert_msg(strstr(error.message, why), "%s", error.message);
    ck_assert_ptr_null(secret);
}

START_TEST(test_what_is_no_file) {
    expect_unreadable(unit_path("nothing"), "No such file");
    expect_unreadable(unit_dir, "no regular file");
    MUST(mkfifo(unit_path("fifo"), 0600) == 0);
    expect_unreadable(unit_path("fifo"), "no regular file");
    expect_unreadable("/dev/zero", "no regular file");
    expect_unreadable("a/b", "neither an absolute path nor");
    expect_unreadable("..", "neither an absolute path nor");
}
END_TEST

START_TEST(test_file_max) {
    char text[HTTP_SECRET_MAX + 2], *secret;

    memset(text, 'x', sizeof(text) - 1);
    text[HTTP_SECRET_MAX] = '\0';
    ck_assert_int_eq(http_secret_read(secret_file(text, 0600), HTTP_AUTH_BEARER, &secret, NULL), 0);
    ck_assert_uint_eq(strlen(secret), HTTP_SECRET_MAX);
    http_secret_free(secret);
    text[HTTP_SECRET_MAX] = 'x';
    text[HTTP_SECRET_MAX + 1] = '\0';
    expect_unreadable(secret_file(text, 0600), "more than 8 KiB");
}
END_TEST

/* Its files may be read by others as their modes are: who comes in there, the folder says. */
START_TEST(test_credential_of_systemd) {
    char *secret;

    unsetenv("CREDENTIALS_DIRECTORY");
    expect_unreadable("token", "LoadCredential=token:PATH");
    setenv("CREDENTIALS_DIRECTORY", unit_dir, 1);
    expect_unreadable("token", "No such file");
    unit_write("token", "hidden\n", 7);
    MUST(chmod(unit_path("token"), 0440) == 0);
    ck_assert_int_eq(http_secret_read("token", HTTP_AUTH_BEARER, &secret, NULL), 0);
    ck_assert_str_eq(secret, "hidden");
    http_secret_free(secret);
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-client");
    TCase *t = tcase_create("http-client");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_json);
    tcase_add_test(t, test_own_headers);
    tcase_add_test(t, test_own_limits);
    tcase_add_test(t, test_absolute_url);
    tcase_add_loop_test(t, test_bad_path, 0, ELEMENTSOF(bad_paths));
    tcase_add_test(t, test_bearer);
    tcase_add_test(t, test_basic);
    tcase_add_test(t, test_new_secret);
    tcase_add_test(t, test_refused_secret);
    tcase_add_test(t, test_changed_settings);
    tcase_add_loop_test(t, test_file, 0, ELEMENTSOF(files));
    tcase_add_test(t, test_what_is_no_file);
    tcase_add_test(t, test_file_max);
    tcase_add_test(t, test_credential_of_systemd);
    suite_add_tcase(s, t);
    return unit_run(s);
}
