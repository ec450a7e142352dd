/* TLS and HTTP/2 against nginx, with certificates made here: whom a request trusts, which
 * certificate it shows, that redirects never lead from https to http, and that one connection
 * carries many requests. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/http-rig.h"
#include "tests/unit/unit.h"

#define SKIPPED 77

static HttpRig rig;
static RigCall call;

/* ---- certificates ---- */

static char dir[64];
static char file_names[8][128];

static const char *file(const char *name) {
    static size_t next;
    char *path = file_names[next++ % ELEMENTSOF(file_names)];
    snprintf(path, sizeof(file_names[0]), "%s/%s", dir, name);
    return path;
}

static void run(const char *format, ...) _printf_(1, 2);
static void run(const char *format, ...) {
    _cleanup_free_ char *command = NULL, *all = NULL;
    va_list args;

    va_start(args, format);
    MUST(vasprintf(&command, format, args) > 0);
    va_end(args);
    MUST(asprintf(&all, "cd %s && { %s; } >>log 2>&1", dir, command) > 0);
    if (system(all) != 0)
        ck_abort_msg("%s failed, see %s/log", command, dir);
}

#define NEW_KEY "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"

static void sign(const char *name, const char *extension) {
    run("openssl req " NEW_KEY " -new -keyout %s.key -out %s.csr -subj /CN=%s && "
        "echo '%s' >%s.ext && openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key "
        "-CAcreateserial -days 2 -extfile %s.ext -out %s.pem",
        name, name, name, extension, name, name, name, name);
}

static void make_certificates(void) {
    run("openssl req -x509 " NEW_KEY " -keyout ca.key -out ca.pem -subj '/CN=Test CA'");
    run("openssl req -x509 " NEW_KEY " -keyout self.key -out self.pem -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1");
    sign("good", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    sign("other", "subjectAltName=DNS:elsewhere.example");
    sign("client", "subjectAltName=DNS:client.example");
}

/* ---- nginx ---- */

typedef enum Port {
    PLAIN,
    GOOD,
    OTHER,
    SELF,
    CLIENT,
    PORTS,
} Port;

static int fds[PORTS];
static unsigned ports[PORTS];
static pid_t nginx = -1;

/* It is handed its sockets, as when it is upgraded: so nobody has to guess a port. */
static void bind_ports(void) {
    for (unsigned i = 0; i < PORTS; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(a);

        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        MUST(fds[i] >= 0 && bind(fds[i], (struct sockaddr *)&a, sizeof(a)) == 0 &&
             listen(fds[i], 511) == 0 && getsockname(fds[i], (struct sockaddr *)&a, &size) == 0);
        ports[i] = ntohs(a.sin_port);
    }
}

static void say_server(FILE *f, Port port, const char *certificate, const char *more) {
    fprintf(f, "server { listen 127.0.0.1:%u%s;\n", ports[port], certificate ? " ssl http2" : "");
    if (certificate)
        fprintf(f, "ssl_certificate %s/%s.pem; ssl_certificate_key %s/%s.key;\n", dir, certificate,
                dir, certificate);
    fprintf(f,
            "%s location / { return 200 \"$server_protocol $connection $ssl_client_s_dn "
            "$http_authorization\"; }\n"
            "location /down { return 302 http://127.0.0.1:%u/plain; }\n"
            "location /up { return 302 https://localhost:%u/; }\n"
            "location /up-and-down { return 302 https://127.0.0.1:%u/down; }\n"
            "location /to-client { return 302 https://127.0.0.1:%u/; } }\n",
            more, ports[PLAIN], ports[GOOD], ports[GOOD], ports[CLIENT]);
}

static void write_configuration(void) {
    _cleanup_fclose_ FILE *f = fopen(file("nginx.conf"), "we");

    MUST(f);
    fprintf(f,
            "daemon off; pid %s/pid; error_log %s/error.log; worker_processes "
            "1; events { worker_connections 512; }\nhttp { access_log off; client_body_temp_path "
            "%s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; "
            "scgi_temp_path %s/s; default_type text/plain;\n",
            dir, dir, dir, dir, dir, dir, dir);
    say_server(f, PLAIN, NULL, "");
    say_server(f, GOOD, "good", "");
    say_server(f, OTHER, "other", "");
    say_server(f, SELF, "self", "");
    char more[160];
    snprintf(more, sizeof(more), "ssl_verify_client on; ssl_client_certificate %s/ca.pem;", dir);
    say_server(f, CLIENT, "good", more);
    fprintf(f, "}\n");
}

static _Noreturn void execute_nginx(void) {
    char inherited[PORTS * 12 + 1] = "";

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (unsigned i = 0; i < PORTS; i++)
        sprintf(inherited + strlen(inherited), "%d;", fds[i]);
    setenv("NGINX", inherited, 1);
    int log = open(file("log"), O_WRONLY | O_APPEND);
    dup2(log, 1);
    dup2(log, 2);
    execl("/usr/sbin/nginx", "nginx", "-p", dir, "-c", file("nginx.conf"), "-e", file("error.log"),
          NULL);
    _exit(127);
}

/* The sockets listen already: whoever connects waits until it is ready. */
static void start_nginx(void) {
    strcpy(dir, "/tmp/longrun-test-XXXXXX");
    MUST(mkdtemp(dir));
    make_certificates();
    bind_ports();
    write_configuration();
    nginx = fork();
    MUST(nginx >= 0);
    if (nginx == 0)
        execute_nginx();
    for (unsigned i = 0; i < PORTS; i++)
        close(fds[i]);
}

static void stop_nginx(void) {
    kill(nginx, SIGTERM); /* it ends its worker */
    waitpid(nginx, NULL, 0);
    MUST(strlen(dir) > strlen("/tmp/longrun-test-"));
    run("rm -r %s", dir);
}

/* ---- tests ---- */

static void setup(void) {
    http_rig_setup(&rig);
    call = (RigCall){};
}

static void teardown(void) {
    http_rig_teardown(&rig);
}

static const char *url(Port port, const char *host, const char *path) {
    static char urls[4][256];
    static size_t next;
    char *text = urls[next++ % ELEMENTSOF(urls)];

    snprintf(text, sizeof(urls[0]), "http%s://%s:%u%s", port == PLAIN ? "" : "s", host, ports[port],
             path);
    return text;
}

static void get(const char *from, const char *ca, const char *client) {
    char certificate[64] = "", key[64] = "";
    HttpRequest r = {.timeout_usec = 20 * USEC_PER_SEC, .ca_file = ca ? file(ca) : NULL};

    if (client) {
        snprintf(certificate, sizeof(certificate), "%s.pem", client);
        snprintf(key, sizeof(key), "%s.key", client);
        r.client_cert = file(certificate);
        r.client_key = file(key);
    }
    http_rig_get(&rig, &call, from, &r);
}

static const struct {
    Port port;
    const char *host, *ca;
    int error;
    const char *text;
} trusts[] = {
    {PLAIN, "127.0.0.1", NULL, 0, "HTTP/1.1 "},
    {GOOD, "127.0.0.1", "ca.pem", 0, "HTTP/2.0 "},
    {GOOD, "localhost", "ca.pem", 0, "HTTP/2.0 "},
    {GOOD, "127.0.0.1", NULL, -EKEYREJECTED, "cannot trust 127.0.0.1:"},
    {SELF, "127.0.0.1", NULL, -EKEYREJECTED, "self"},
    {SELF, "127.0.0.1", "ca.pem", -EKEYREJECTED, "self"},
    {SELF, "127.0.0.1", "self.pem", 0, "HTTP/2.0 "},
    {OTHER, "localhost", "ca.pem", -EKEYREJECTED, "localhost"},
    {OTHER, "127.0.0.1", "ca.pem", -EKEYREJECTED, "127.0.0.1"},
    {GOOD, "127.0.0.1", "nothing.pem", -EKEYREJECTED, "the file of certificates"},
    {GOOD, "127.0.0.1", "good.key", -EKEYREJECTED, "the file of certificates"},
};

START_TEST(test_trust) {
    get(url(trusts[_i].port, trusts[_i].host, "/"), trusts[_i].ca, NULL);
    ck_assert_msg(call.error == trusts[_i].error, "%d %s", call.error, call.text);
    const char *told = call.error < 0 ? call.text : call.body;
    ck_assert_msg(strstr(told, trusts[_i].text), "%s", told);
}
END_TEST

/* Whom one request trusts says nothing of the next: its connection is not used again. */
START_TEST(test_trust_is_of_the_request) {
    get(url(GOOD, "127.0.0.1", "/"), "ca.pem", NULL);
    ck_assert_int_eq(call.error, 0);
    get(url(GOOD, "127.0.0.1", "/"), NULL, NULL);
    ck_assert_int_eq(call.error, -EKEYREJECTED);
    get(url(GOOD, "127.0.0.1", "/"), "self.pem", NULL);
    ck_assert_int_eq(call.error, -EKEYREJECTED);
    get(url(GOOD, "127.0.0.1", "/"), "ca.pem", NULL);
    ck_assert_int_eq(call.error, 0);
}
END_TEST

START_TEST(test_client_certificate) {
    get(url(CLIENT, "127.0.0.1", "/"), "ca.pem", "client");
    ck_assert_int_eq(call.error, 0);
    MUST(strstr(call.body, "CN=client"));
    get(url(CLIENT, "127.0.0.1", "/"), "ca.pem", NULL);
    ck_assert_uint_eq(call.status, 400); /* nginx says so, in HTTP */
    get(url(CLIENT, "127.0.0.1", "/"), "ca.pem", "nobody");
    ck_assert_int_eq(call.error, -EKEYREJECTED);
    MUST(strstr(call.text, "the client certificate cannot be used"));
}
END_TEST

/* Another port is another origin. */
START_TEST(test_client_certificate_stays) {
    get(url(GOOD, "127.0.0.1", "/to-client"), "ca.pem", "client");
    ck_assert_uint_eq(call.status, 400);
    MUST(!strstr(call.body, "CN=client"));
}
END_TEST

START_TEST(test_plain_where_tls_is_spoken) {
    char to[64];

    snprintf(to, sizeof(to), "https://127.0.0.1:%u/", ports[PLAIN]);
    get(to, "ca.pem", NULL);
    ck_assert_int_eq(call.error, -EKEYREJECTED);
    MUST(strstr(call.text, "no TLS with 127.0.0.1:"));
}
END_TEST

/* ---- redirects ---- */

static const struct {
    Port port;
    const char *path;
    int error;
} redirects[] = {
    {PLAIN, "/up", 0}, {PLAIN, "/down", 0}, /* from http to http */
    {GOOD, "/up", 0},  {GOOD, "/down", -EACCES}, {PLAIN, "/up-and-down", -EACCES},
};

START_TEST(test_redirect) {
    get(url(redirects[_i].port, "127.0.0.1", redirects[_i].path), "ca.pem", NULL);
    ck_assert_msg(call.error == redirects[_i].error, "%d %s", call.error, call.text);
    if (call.error < 0)
        MUST(strstr(call.text, "refused to be redirected from https to http by 127.0.0.1:"));
}
END_TEST

START_TEST(test_secret_stays) {
    HttpRequest r = {.ca_file = file("ca.pem"), .auth = HTTP_AUTH_BEARER, .secret = "hidden"};

    http_rig_get(&rig, &call, url(GOOD, "localhost", "/"), &r);
    MUST(strstr(call.body, "Bearer hidden"));
    http_rig_get(&rig, &call, url(GOOD, "localhost", "/up"), &r);
    MUST(strstr(call.body, "Bearer hidden"));
    http_rig_get(&rig, &call, url(GOOD, "127.0.0.1", "/up"), &r);
    ck_assert_int_eq(call.error, 0);
    MUST(!strstr(call.body, "hidden"));
    http_rig_get(&rig, &call, url(PLAIN, "localhost", "/up"), &r);
    ck_assert_int_eq(call.error, 0);
    MUST(!strstr(call.body, "hidden"));
}
END_TEST

/* ---- HTTP/2 ---- */

static RigCall many[50];

static unsigned connection_of(const RigCall *c) {
    unsigned n = 0;
    MUST(sscanf(c->body, "HTTP/2.0 %u", &n) == 1);
    return n;
}

START_TEST(test_one_connection_for_many) {
    HttpRequest r = {.ca_file = file("ca.pem")};

    get(url(GOOD, "127.0.0.1", "/"), "ca.pem", NULL);
    for (size_t i = 0; i < ELEMENTSOF(many); i++)
        http_rig_start(&rig, &many[i], url(GOOD, "127.0.0.1", "/"), &r);
    for (size_t i = 0; i < ELEMENTSOF(many); i++) {
        http_rig_wait(&rig, &many[i]);
        ck_assert_int_eq(many[i].error, 0);
        ck_assert_uint_eq(connection_of(&many[i]), connection_of(&call));
    }
}
END_TEST

/* Those that share it do not suffer when one of them goes. */
START_TEST(test_drop_one_of_many) {
    HttpRequest r = {.ca_file = file("ca.pem")};

    for (int turns = 0; turns < 30; turns++) {
        for (size_t i = 0; i < 10; i++)
            http_rig_start(&rig, &many[i], url(GOOD, "127.0.0.1", "/"), &r);
        for (int t = 0; t < turns && http_loop_calls(rig.loop) > 0; t++)
            http_rig_turn(&rig);
        for (size_t i = 0; i < 10; i += 2)
            many[i].call = many[i].told == 0 ? http_call_free(many[i].call) : NULL;
        for (size_t i = 1; i < 10; i += 2) {
            http_rig_wait(&rig, &many[i]);
            ck_assert_int_eq(many[i].error, 0);
        }
    }
    ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-tls");
    TCase *t = tcase_create("http-tls");

    if (access("/usr/sbin/nginx", X_OK) < 0) {
        printf("SKIP: there is no nginx\n");
        return SKIPPED;
    }
    tcase_add_unchecked_fixture(t, start_nginx, stop_nginx);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_trust, 0, ELEMENTSOF(trusts));
    tcase_add_test(t, test_trust_is_of_the_request);
    tcase_add_test(t, test_client_certificate);
    tcase_add_test(t, test_client_certificate_stays);
    tcase_add_test(t, test_plain_where_tls_is_spoken);
    tcase_add_loop_test(t, test_redirect, 0, ELEMENTSOF(redirects));
    tcase_add_test(t, test_secret_stays);
    tcase_add_test(t, test_one_connection_for_many);
    tcase_add_test(t, test_drop_one_of_many);
    suite_add_tcase(s, t);
    return unit_run(s);
}
