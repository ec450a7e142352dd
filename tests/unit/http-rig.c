#include "tests/unit/http-rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/unit.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)

typedef struct Conn {
    TAILQ_ENTRY(Conn) link;
    struct RigServer *server;
    int fd;
    sd_event_source *io, *timer;
    char in[32768]; /* a request */
    size_t n_in;
    char *out;
    size_t n_out, sent, allocated;
    bool endless; /* more comes whenever all is sent */
    bool close_then, reset_then;
} Conn;

struct RigServer {
    HttpRig *rig;
    int fds[2];
    sd_event_source *sources[2];
    TAILQ_HEAD(, Conn) conns;
};

/* ---- connections ---- */

static void conn_free(Conn *c) {
    TAILQ_REMOVE(&c->server->conns, c, link);
    c->server->rig->open--;
    sd_event_source_disable_unref(c->io);
    sd_event_source_disable_unref(c->timer);
    close_fd(c->fd);
    free(c->out);
    free(c);
}

static void conn_reset(Conn *c) {
    struct linger now = {.l_onoff = 1};

    MUST(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
    conn_free(c);
}

static void put(Conn *c, const void *data, size_t size) {
    if (c->n_out + size > c->allocated) {
        c->allocated = 2 * (c->n_out + size);
        c->out = realloc(c->out, c->allocated);
        MUST(c->out);
    }
    memcpy(c->out + c->n_out, data, size);
    c->n_out += size;
}

static void say(Conn *c, const char *format, ...) _printf_(2, 3);
static void say(Conn *c, const char *format, ...) {
    _cleanup_free_ char *text = NULL;
    va_list args;

    va_start(args, format);
    MUST(vasprintf(&text, format, args) >= 0);
    va_end(args);
    put(c, text, strlen(text));
}

/* True: all of it is out. False: some is left, or the connection is gone, *ret_gone. */
static bool flush(Conn *c, bool *ret_gone) {
    *ret_gone = false;
    while (c->sent < c->n_out) {
        ssize_t n = send(c->fd, c->out + c->sent, c->n_out - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0) {
            conn_free(c);
            *ret_gone = true;
            return false;
        }
        c->sent += (size_t)n;
    }
    c->sent = c->n_out = 0;
    return true;
}

/* ---- answers ---- */

static void answer(Conn *c, unsigned status, const char *headers, const char *body) {
    say(c,
        "HTTP/1.1 %u Status\r\nContent-Type: text/plain\r\nX-First: one\r\nX-First: two\r\n%s"
        "Content-Length: %zu\r\n\r\n%s",
        status, headers, strlen(body), body);
}

static void answer_ok(Conn *c, const char *rest) {
    answer(c, 200, "", "hello");
}

static void answer_echo(Conn *c, const char *rest) {
    answer(c, 200, "", c->in);
}

static void answer_status(Conn *c, const char *rest) {
    answer(c, (unsigned)atoi(rest), "", "{\"error\": \"because\"}");
}

static void answer_to(Conn *c, const char *rest) {
    char headers[1024];
    const char *to = strstr(rest, "://") ? rest + 4 : rest + 3;

    snprintf(headers, sizeof(headers), "Location: %.*s\r\n", (int)strcspn(to, " "), to);
    answer(c, (unsigned)atoi(rest), headers, "moved");
}

static void answer_loop(Conn *c, const char *rest) {
    char headers[64];

    snprintf(headers, sizeof(headers), "Location: /loop/%d\r\n", atoi(rest) + 1);
    answer(c, 302, headers, "");
}

static void put_bytes(Conn *c, size_t size) {
    _cleanup_free_ char *bytes = malloc(size + 1);

    MUST(bytes);
    memset(bytes, 'x', size);
    put(c, bytes, size);
}

static void answer_size(Conn *c, const char *rest) {
    size_t size = (size_t)atol(rest);

    say(c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    put_bytes(c, size);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void put_chunk(Conn *c, size_t size) {
    say(c, "%zx\r\n", size);
    put_bytes(c, size);
    say(c, "\r\n");
}

static void answer_chunks(Conn *c, const char *rest) {
    size_t size = (size_t)atol(rest);

    say(c, CHUNKED);
    for (; size > 0; size -= MIN(size, (size_t)1000))
        put_chunk(c, MIN(size, (size_t)1000));
    say(c, "0\r\n\r\n");
}

static void answer_endless(Conn *c, const char *rest) {
    say(c, CHUNKED);
    c->endless = true;
}

static void answer_announce(Conn *c, const char *rest) {
    say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
}

static void answer_gzip(Conn *c, const char *rest) {
    _cleanup_free_ char *packed = malloc(MIB);
    FILE *f = popen("head -c 20971520 /dev/zero | gzip -9", "r");

    MUST(f && packed);
    size_t size = fread(packed, 1, MIB, f);
    MUST(pclose(f) == 0 && size < MIB);
    say(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", size);
    put(c, packed, size);
}

static void answer_headers(Conn *c, const char *rest) {
    say(c, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < 20000; i++)
        say(c, "X-Header-%u: 0123456789012345678901234567890123456789\r\n", i);
}

static void answer_half(Conn *c) {
    say(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    put_bytes(c, 500);
}

static void answer_reset(Conn *c, const char *rest) {
    answer_half(c);
    c->reset_then = true;
}

static void answer_cut(Conn *c, const char *rest) {
    answer_half(c);
    c->close_then = true;
}

static void answer_close(Conn *c, const char *rest) {
    c->close_then = true;
}

static void answer_hang(Conn *c, const char *rest) {
}

static void answer_hang_body(Conn *c, const char *rest) {
    answer_half(c);
}

static int on_trickle(sd_event_source *s, uint64_t usec, void *userdata) {
    Conn *c = userdata;
    bool gone;

    put_chunk(c, 1);
    (void)flush(c, &gone);
    if (gone)
        return 0;
    MUST(sd_event_source_set_time(s, usec + 20 * USEC_PER_MSEC) >= 0);
    return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static void answer_trickle(Conn *c, const char *rest) {
    say(c, CHUNKED);
    if (c->timer)
        return; /* the one of HEAD before */
    MUST(sd_event_add_time(c->server->rig->event, &c->timer, CLOCK_MONOTONIC,
                           clock_usec(CLOCK_MONOTONIC), 1, on_trickle, c) >= 0);
}

static void answer_garbage(Conn *c, const char *rest) {
    say(c, "SSH-2.0-OpenSSH_9.2\r\n");
    c->close_then = true;
}

static void answer_secret(Conn *c, const char *rest) {
    char expected[256];

    snprintf(expected, sizeof(expected), "\r\nAuthorization: Bearer %.*s\r\n",
             (int)strcspn(rest, " "), rest);
    answer(c, strstr(c->in, expected) ? 200 : 401, "", "");
}

static void answer_keep_alive_off(Conn *c, const char *rest) {
    answer(c, 200, "Connection: close\r\n", "bye");
    c->close_then = true;
}

static const struct {
    const char *path;
    void (*func)(Conn *c, const char *rest);
} answers[] = {
    {"/ok", answer_ok},
    {"/echo", answer_echo},
    {"/status/", answer_status},
    {"/to/", answer_to},
    {"/loop/", answer_loop},
    {"/size/", answer_size},
    {"/chunks/", answer_chunks},
    {"/endless", answer_endless},
    {"/announce", answer_announce},
    {"/gzip", answer_gzip},
    {"/headers", answer_headers},
    {"/reset", answer_reset},
    {"/cut", answer_cut},
    {"/close", answer_close},
    {"/hang-body", answer_hang_body},
    {"/hang", answer_hang},
    {"/trickle", answer_trickle},
    {"/garbage", answer_garbage},
    {"/secret/", answer_secret},
    {"/keep-alive-off", answer_keep_alive_off},
};

static void answer_request(Conn *c) {
    const char *path = strchr(c->in, ' ');

    MUST(path);
    path++;
    c->server->rig->requests++;
    /* As a proxy is asked. */
    if (strncmp(path, "http://", 7) == 0)
        path = strchr(path + 7, '/') ?: "/";
    for (size_t i = 0; i < ELEMENTSOF(answers); i++)
        if (strncmp(path, answers[i].path, strlen(answers[i].path)) == 0) {
            answers[i].func(c, path + strlen(answers[i].path));
            return;
        }
    answer(c, 404, "", "");
}

/* ---- requests ---- */

/* Bytes of the first request, 0: there is more to come. */
static size_t request_size(Conn *c) {
    const char *end, *length;

    c->in[c->n_in] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return 0;
    length = strcasestr(c->in, "\r\nContent-Length:");
    size_t size = (size_t)(end + 4 - c->in);
    if (length && length < end)
        size += (size_t)atol(length + strlen("\r\nContent-Length:"));
    return size <= c->n_in ? size : 0;
}

/* What is to be done once all is sent. False: it is gone. */
static bool after(Conn *c) {
    if (c->reset_then || c->close_then) {
        c->reset_then ? conn_reset(c) : conn_free(c);
        return false;
    }
    return true;
}

static bool go_on(Conn *c) {
    bool gone;

    if (c->endless && c->n_out == 0)
        put_chunk(c, 10000);
    bool all = flush(c, &gone);
    if (gone || (all && !after(c)))
        return false;
    bool wants_out = !all || c->endless;
    return sd_event_source_set_io_events(c->io, EPOLLIN | (wants_out ? EPOLLOUT : 0)) >= 0;
}

static void take_requests(Conn *c) {
    size_t size;

    while ((size = request_size(c)) > 0) {
        answer_request(c);
        c->n_in -= size;
        memmove(c->in, c->in + size, c->n_in);
    }
}

static int on_conn(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    Conn *c = userdata;

    if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = recv(fd, c->in + c->n_in, sizeof(c->in) - 1 - c->n_in, 0);
        if (n <= 0 && (n == 0 || errno != EAGAIN)) {
            conn_free(c);
            return 0;
        }
        c->n_in += n > 0 ? (size_t)n : 0;
        take_requests(c);
    }
    (void)go_on(c);
    return 0;
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    struct RigServer *server = userdata;
    int one = 1, conn_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (conn_fd < 0)
        return 0;
    MUST(setsockopt(conn_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
    Conn *c = calloc(1, sizeof(Conn));
    MUST(c);
    c->server = server;
    c->fd = conn_fd;
    TAILQ_INSERT_TAIL(&server->conns, c, link);
    server->rig->connections++;
    server->rig->open++;
    MUST(sd_event_add_io(server->rig->event, &c->io, conn_fd, EPOLLIN, on_conn, c) >= 0);
    return 0;
}

/* ---- the server ---- */

static unsigned port_of(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    socklen_t size = sizeof(a);

    MUST(getsockname(fd, &a.any, &size) == 0);
    return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static unsigned listen_on(struct RigServer *s, unsigned i, const struct sockaddr *a,
                          socklen_t size) {
    int fd = socket(a->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, a, size) < 0 || listen(fd, 4096) < 0) {
        close_fd(fd);
        return 0;
    }
    s->fds[i] = fd;
    MUST(sd_event_add_io(s->rig->event, &s->sources[i], fd, EPOLLIN, on_accept, s) >= 0);
    return port_of(fd);
}

static struct RigServer *server_new(HttpRig *rig) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct RigServer *s = calloc(1, sizeof(*s));

    MUST(s);
    s->rig = rig;
    s->fds[0] = s->fds[1] = -EBADF;
    TAILQ_INIT(&s->conns);
    rig->port = listen_on(s, 0, (struct sockaddr *)&v4, sizeof(v4));
    rig->other = listen_on(s, 1, (struct sockaddr *)&v6, sizeof(v6));
    MUST(rig->port > 0);
    return s;
}

void http_rig_close(HttpRig *rig) {
    while (!TAILQ_EMPTY(&rig->server->conns))
        conn_free(TAILQ_FIRST(&rig->server->conns));
}

static void server_free(struct RigServer *s) {
    http_rig_close(s->rig);
    for (unsigned i = 0; i < 2; i++) {
        sd_event_source_disable_unref(s->sources[i]);
        close_fd(s->fds[i]);
    }
    free(s);
}

void http_rig_setup(HttpRig *rig) {
    *rig = (HttpRig){};
    MUST(sd_event_new(&rig->event) >= 0);
    rig->server = server_new(rig);
    MUST(http_loop_new(&rig->loop, rig->event) == 0);
}

void http_rig_teardown(HttpRig *rig) {
    rig->loop = http_loop_free(rig->loop);
    server_free(rig->server);
    rig->event = sd_event_unref(rig->event);
}

/* ---- calls ---- */

const char *http_rig_url(const HttpRig *rig, const char *path) {
    static char urls[8][1024];
    static size_t next;
    char *url = urls[next++ % ELEMENTSOF(urls)];

    snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u%s", rig->port, path);
    return url;
}

static void on_done(void *userdata, const HttpReply *r) {
    RigCall *c = userdata;

    c->told++;
    c->call = NULL;
    c->error = r->error;
    c->status = r->status;
    c->latency_usec = r->latency_usec;
    c->body_size = r->body_size;
    MUST(r->body && r->body[r->body_size] == '\0');
    snprintf(c->body, sizeof(c->body), "%s", r->body);
    snprintf(c->text, sizeof(c->text), "%s", r->error_text);
    snprintf(c->url, sizeof(c->url), "%s", r->url);
    snprintf(c->type, sizeof(c->type), "%s", strempty(http_reply_header(r, "content-type")));
    if (c->hook)
        c->hook(c);
}

void http_rig_start(HttpRig *rig, RigCall *c, const char *path, const HttpRequest *request) {
    HttpRequest r = request ? *request : (HttpRequest){};
    void (*hook)(RigCall *) = c->hook;

    r.method = r.method ?: "GET";
    r.url = path[0] == '/' ? http_rig_url(rig, path) : path;
    *c = (RigCall){.rig = rig, .hook = hook};
    MUST(http_call_start(rig->loop, &r, on_done, c, &c->call) == 0);
    MUST(c->call && c->told == 0);
}

void http_rig_turn(HttpRig *rig) {
    MUST(sd_event_run(rig->event, 100 * USEC_PER_MSEC) >= 0);
}

void http_rig_wait(HttpRig *rig, const RigCall *c) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + DEADLINE_USEC;

    while (c->told == 0) {
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
        http_rig_turn(rig);
    }
    MUST(c->told == 1);
}

void http_rig_get(HttpRig *rig, RigCall *c, const char *path, const HttpRequest *request) {
    http_rig_start(rig, c, path, request);
    http_rig_wait(rig, c);
}

void http_rig_until(HttpRig *rig, bool (*condition)(HttpRig *rig)) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + DEADLINE_USEC;

    while (!condition(rig)) {
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
        http_rig_turn(rig);
    }
}
