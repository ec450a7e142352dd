/* test-backend: an HTTP server to try Longrun with, and to test it. Speaks the messenger's dialect,
 * runs long operations, has documents and files, and makes what goes wrong with servers, on demand:
 * control.h, fault.h. Nothing is kept. */

#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "common/fd-io.h"
#include "common/parse.h"
#include "tests/backend/memory.h"
#include "tests/backend/server.h"

#define RECORDS_DEFAULT 10000
#define PEM_MAX (1 * MIB)
#define BACKLOG 4096

static const char usage[] = "usage: test-backend [OPTIONS]\n"
                            "  --host ADDRESS       127.0.0.1\n"
                            "  --port PORT          0: any; stdout tells which one\n"
                            "  --dialect WHICH      first or other\n"
                            "  --peer NAME          somebody who may become a friend; NAME:online, "
                            "NAME:offline: is one already\n"
                            "  --echo               friends who are online answer\n"
                            "  --fault KIND[:PATH]  or the whole as JSON, see "
                            "tests/backend/fault.h; may be given several times\n"
                            "  --set JSON           as POST /_test/set\n"
                            "  --authorization TEXT what the header must be\n"
                            "  --tls-cert FILE, --tls-key FILE\n"
                            "                       PEM; the url is https then\n"
                            "  --record N           how many requests are remembered, 10000\n"
                            "  --seed N             of chance\n"
                            "  --die-with-parent\n";

typedef struct Options {
    const char *host, *port;
    char *cert, *key;
    uint32_t records, seed;
} Options;

_printf_(1, 2) __attribute__((noreturn)) static void fail(const char *format, ...) {
    va_list ap;

    (void)fputs("test-backend: ", stderr);
    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

/* ---- options ---- */

static char *read_pem(const char *path) {
    char *text;
    int r = file_read_all(path, PEM_MAX, &text, NULL);

    if (r < 0)
        fail("%s: %s", path, strerror(-r));
    return text;
}

static void add_peer(Server *s, const char *text) {
    const char *colon = strchr(text, ':');
    _cleanup_free_ char *name = must(strndup(text, colon ? (size_t)(colon - text) : strlen(text)));
    _cleanup_json_ cJSON *peer = cJSON_CreateObject();

    cJSON_AddStringToObject(peer, "username", name);
    cJSON_AddBoolToObject(peer, "online", !colon || streq(colon, ":online"));
    cJSON_AddBoolToObject(peer, "friend", colon != NULL);
    messenger_put_peer(&s->messenger, peer);
}

static void set_text(Server *s, const char *text) {
    _cleanup_json_ cJSON *j = json_object_parse(text, strlen(text));

    if (!j)
        fail("--set takes an object of JSON: %s", text);
    server_set(s, j);
}

static uint32_t number(const char *text) {
    uint32_t n;

    if (parse_u32(text, &n) < 0)
        fail("no number: %s", text);
    return n;
}

static void set_dialect(Server *s, const char *text) {
    if (!streq(text, "first") && !streq(text, "other"))
        fail("--dialect is first or other");
    s->messenger.other_dialect = streq(text, "other");
}

static void add_fault(Server *s, const char *text) {
    const char *wrong = faults_add_text(&s->faults, text);

    if (wrong)
        fail("--fault %s: %s", text, wrong);
}

static void die_with_parent(void) {
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
        fail("prctl: %m");
}

enum {
    OPT_HOST = 1000,
    OPT_PORT,
    OPT_DIALECT,
    OPT_PEER,
    OPT_ECHO,
    OPT_FAULT,
    OPT_SET,
    OPT_AUTHORIZATION,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_RECORD,
    OPT_SEED,
    OPT_DIE_WITH_PARENT,
    OPT_HELP,
};

/* clang-format off */
static const struct option long_options[] = {
    {"host", required_argument, NULL, OPT_HOST},
    {"port", required_argument, NULL, OPT_PORT},
    {"dialect", required_argument, NULL, OPT_DIALECT},
    {"peer", required_argument, NULL, OPT_PEER},
    {"echo", no_argument, NULL, OPT_ECHO},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"set", required_argument, NULL, OPT_SET},
    {"authorization", required_argument, NULL, OPT_AUTHORIZATION},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"record", required_argument, NULL, OPT_RECORD},
    {"seed", required_argument, NULL, OPT_SEED},
    {"die-with-parent", no_argument, NULL, OPT_DIE_WITH_PARENT},
    {"help", no_argument, NULL, OPT_HELP},
    {},
};
/* clang-format on */

static void take_option(Server *s, Options *o, int option) {
    switch (option) {
    case OPT_HOST:
        o->host = optarg;
        break;
    case OPT_PORT:
        o->port = optarg;
        break;
    case OPT_DIALECT:
        set_dialect(s, optarg);
        break;
    case OPT_PEER:
        add_peer(s, optarg);
        break;
    case OPT_ECHO:
        s->messenger.echo = true;
        break;
    case OPT_FAULT:
        add_fault(s, optarg);
        break;
    case OPT_SET:
        set_text(s, optarg);
        break;
    case OPT_AUTHORIZATION:
        free(s->authorization);
        s->authorization = must_copy(optarg);
        break;
    case OPT_TLS_CERT:
        s->cert = read_pem(optarg);
        break;
    case OPT_TLS_KEY:
        s->key = read_pem(optarg);
        break;
    case OPT_RECORD:
        o->records = number(optarg);
        break;
    case OPT_SEED:
        o->seed = number(optarg);
        break;
    case OPT_DIE_WITH_PARENT:
        die_with_parent();
        break;
    case OPT_HELP:
        (void)fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    default:
        (void)fputs(usage, stderr);
        exit(2);
    }
}

/* ---- the port ---- */

static int listen_at(const struct addrinfo *a) {
    _cleanup_close_ int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* The port of one that has just ended. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return TAKE_FD(fd);
}

static int open_port(const Options *o) {
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;

    int r = getaddrinfo(o->host, o->port, &hints, &found);
    if (r != 0)
        fail("%s port %s: %s", o->host, o->port, gai_strerror(r));
    int fd = listen_at(found);
    freeaddrinfo(found);
    if (fd < 0)
        fail("%s port %s: %s", o->host, o->port, strerror(-fd));
    return fd;
}

static void tell_port(const Server *s, const Options *o, int fd) {
    struct sockaddr_storage address;
    char port[NI_MAXSERV] = "?";

    (void)getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof(address)});
    (void)getnameinfo((struct sockaddr *)&address, sizeof(address), NULL, 0, port, sizeof(port),
                      NI_NUMERICSERV);
    const char *colon = strchr(o->host, ':');
    printf("listening on %s://%s%s%s:%s\n", s->cert ? "https" : "http", colon ? "[" : "", o->host,
           colon ? "]" : "", port);
    (void)fflush(stdout);
}

/* ---- its life ---- */

static void server_init(Server *s) {
    messenger_init(&s->messenger);
    faults_init(&s->faults);
    if (sd_event_new(&s->event) < 0)
        fail("no event loop");
}

static void server_done(Server *s) {
    server_stop(s);
    sd_event_unref(s->event);
    faults_done(&s->faults);
    records_done(&s->records);
    messenger_done(&s->messenger);
    documents_clear(&s->documents);
    files_clear(&s->files);
    operations_clear(&s->operations);
    free(s->authorization);
    free(s->cert);
    free(s->key);
}

static void raise_descriptors(void) {
    struct rlimit limit;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void prepare_signals(Server *s) {
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sd_event_add_signal(s->event, NULL, SIGTERM, NULL, NULL) < 0 ||
        sd_event_add_signal(s->event, NULL, SIGINT, NULL, NULL) < 0)
        fail("no signals");
}

int main(int argc, char **argv) {
    Server s = {};
    Options o = {.host = "127.0.0.1", .port = "0", .records = RECORDS_DEFAULT};
    int option;

    o.seed = (uint32_t)time(NULL);
    server_init(&s);
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        take_option(&s, &o, option);
    if (!s.cert != !s.key || optind < argc)
        fail("%s", optind < argc ? "takes options alone" : "--tls-cert and --tls-key go together");
    raise_descriptors();
    prepare_signals(&s);
    faults_seed(&s.faults, o.seed);
    records_init(&s.records, o.records);
    int fd = open_port(&o);
    if (server_start(&s, fd) < 0)
        fail("the server does not start");
    tell_port(&s, &o, fd);
    int r = sd_event_loop(s.event);
    server_done(&s);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
