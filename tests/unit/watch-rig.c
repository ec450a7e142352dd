#include "tests/unit/watch-rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "daemon/core/messenger-data.h"
#include "tests/unit/unit.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)

WatchRig rig;

typedef struct Route {
    TAILQ_ENTRY(Route) link;
    char *path, *head, *body;
    size_t body_size;
    bool hangs;
    uint64_t delay_usec;
    unsigned requests, open, most;
    char last[4096];
} Route;

typedef struct Conn {
    TAILQ_ENTRY(Conn) link;
    int fd;
    sd_event_source *io, *timer;
    Route *route; /* that is being answered */
    char in[8192];
    size_t n_in;
    char *out;
    size_t n_out, sent;
} Conn;

struct RigServer {
    int fd;
    sd_event_source *source;
    TAILQ_HEAD(, Route) routes;
    TAILQ_HEAD(, Conn) conns;
};

/* ---- what is answered ---- */

static Route *route_of(const char *path, size_t size) {
    Route *r;

    TAILQ_FOREACH (r, &rig.server->routes, link)
        if (strlen(r->path) == size && memcmp(r->path, path, size) == 0)
            return r;
    r = calloc(1, sizeof(Route));
    MUST(r);
    r->path = strndup(path, size);
    r->head = strdup("HTTP/1.1 404 Not Found\r\n");
    r->body = strdup("");
    MUST(r->path && r->head && r->body);
    TAILQ_INSERT_TAIL(&rig.server->routes, r, link);
    return r;
}

static Route *find_route(const char *path) {
    return route_of(path, strlen(path));
}

static void set_answer(Route *r, unsigned status, const char *headers, const void *body,
                       size_t size) {
    free(r->head);
    free(r->body);
    MUST(asprintf(&r->head, "HTTP/1.1 %u Status\r\n%s", status, headers) > 0);
    r->body = malloc(size + 1);
    MUST(r->body);
    memcpy(r->body, body, size);
    r->body_size = size;
    r->hangs = false;
    r->delay_usec = 0;
}

void rig_answer(const char *path, unsigned status, const char *headers, const char *body) {
    set_answer(find_route(path), status, headers, body, strlen(body));
}

void rig_answer_bytes(const char *path, const char *body, size_t size) {
    set_answer(find_route(path), 200, "", body, size);
}

void rig_hang(const char *path) {
    find_route(path)->hangs = true;
}

void rig_delay(const char *path, uint64_t usec) {
    find_route(path)->delay_usec = usec;
}

unsigned rig_requests(const char *path) {
    return find_route(path)->requests;
}

unsigned rig_most_at_once(const char *path) {
    return find_route(path)->most;
}

unsigned rig_all_requests(void) {
    unsigned n = 0;
    Route *r;

    TAILQ_FOREACH (r, &rig.server->routes, link)
        n += r->requests;
    return n;
}

const char *rig_last_request(const char *path) {
    return find_route(path)->last;
}

/* ---- connections ---- */

static void leave_route(Conn *c) {
    if (c->route)
        c->route->open--;
    c->route = NULL;
}

static void conn_free(Conn *c) {
    TAILQ_REMOVE(&rig.server->conns, c, link);
    leave_route(c);
    sd_event_source_disable_unref(c->io);
    sd_event_source_disable_unref(c->timer);
    close_fd(c->fd);
    free(c->out);
    free(c);
}

static void flush(Conn *c) {
    while (c->sent < c->n_out) {
        ssize_t n = send(c->fd, c->out + c->sent, c->n_out - c->sent, MSG_NOSIGNAL);
        if (n < 0)
            break;
        c->sent += (size_t)n;
    }
    MUST(sd_event_source_set_io_events(c->io, EPOLLIN | (c->sent < c->n_out ? EPOLLOUT : 0)) >= 0);
}

static void answer_now(Conn *c) {
    Route *r = c->route;
    bool has_body = !strstr(r->head, " 304 ") && !strstr(r->head, " 204 ");
    int n;

    free(c->out);
    c->sent = 0;
    if (has_body)
        n = asprintf(&c->out, "%sContent-Length: %zu\r\n\r\n", r->head, r->body_size);
    else
        n = asprintf(&c->out, "%s\r\n", r->head);
    MUST(n > 0);
    c->n_out = (size_t)n;
    if (has_body) {
        c->out = realloc(c->out, c->n_out + r->body_size);
        MUST(c->out);
        memcpy(c->out + c->n_out, r->body, r->body_size);
        c->n_out += r->body_size;
    }
    leave_route(c);
    flush(c);
}

static int on_delay(sd_event_source *s, uint64_t usec, void *userdata) {
    answer_now(userdata);
    return 0;
}

static void begin_answer(Conn *c, size_t head_size) {
    const char *path = strchr(c->in, ' ');
    Route *r;

    MUST(path);
    path++;
    r = route_of(path, strcspn(path, " ?"));
    snprintf(r->last, sizeof(r->last), "%.*s", (int)head_size, c->in);
    r->requests++;
    r->open++;
    r->most = MAX(r->most, r->open);
    c->route = r;
    if (r->hangs)
        return;
    if (r->delay_usec == 0) {
        answer_now(c);
        return;
    }
    sd_event_source_disable_unref(c->timer);
    MUST(sd_event_add_time(rig.event, &c->timer, CLOCK_MONOTONIC,
                           clock_usec(CLOCK_MONOTONIC) + r->delay_usec, 1, on_delay, c) >= 0);
}

/* Bytes of the first request, 0: there is more to come. */
static size_t request_size(Conn *c) {
    const char *end, *length;
    size_t size;

    c->in[c->n_in] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return 0;
    size = (size_t)(end + 4 - c->in);
    length = strcasestr(c->in, "\r\nContent-Length:");
    if (length && length < end)
        size += (size_t)atol(length + strlen("\r\nContent-Length:"));
    return size <= c->n_in ? size : 0;
}

static int on_conn(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    Conn *c = userdata;
    size_t size;

    if (revents & EPOLLOUT)
        flush(c);
    if (!(revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return 0;
    ssize_t n = recv(fd, c->in + c->n_in, sizeof(c->in) - 1 - c->n_in, 0);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        conn_free(c);
        return 0;
    }
    c->n_in += (size_t)n;
    while ((size = request_size(c)) > 0) {
        begin_answer(c, size);
        c->n_in -= size;
        memmove(c->in, c->in + size, c->n_in);
    }
    return 0;
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    int one = 1, conn_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    Conn *c;

    if (conn_fd < 0)
        return 0;
    MUST(setsockopt(conn_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
    c = calloc(1, sizeof(Conn));
    MUST(c);
    c->fd = conn_fd;
    TAILQ_INSERT_TAIL(&rig.server->conns, c, link);
    MUST(sd_event_add_io(rig.event, &c->io, conn_fd, EPOLLIN, on_conn, c) >= 0);
    return 0;
}

/* ---- the server ---- */

/* On all addresses: those of loopback may come later. */
void rig_open_server(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)rig.port)};
    struct RigServer *s = rig.server;
    socklen_t size = sizeof(a);
    int one = 1;

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(s->fd >= 0);
    MUST(setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    MUST(bind(s->fd, (const struct sockaddr *)&a, sizeof(a)) == 0 && listen(s->fd, 4096) == 0);
    MUST(getsockname(s->fd, (struct sockaddr *)&a, &size) == 0);
    rig.port = ntohs(a.sin_port);
    MUST(sd_event_add_io(rig.event, &s->source, s->fd, EPOLLIN, on_accept, NULL) >= 0);
}

void rig_close_server(void) {
    struct RigServer *s = rig.server;

    while (!TAILQ_EMPTY(&s->conns))
        conn_free(TAILQ_FIRST(&s->conns));
    s->source = sd_event_source_disable_unref(s->source);
    s->fd = close_fd(s->fd);
}

static void server_free(struct RigServer *s) {
    Route *r;

    rig_close_server();
    while ((r = TAILQ_FIRST(&s->routes))) {
        TAILQ_REMOVE(&s->routes, r, link);
        free(r->path);
        free(r->head);
        free(r->body);
        free(r);
    }
    free(s);
}

/* ---- what is told ---- */

void rig_say(const char *format, ...) {
    _cleanup_free_ char *line = NULL, *before = rig.told;
    va_list args;

    va_start(args, format);
    MUST(vasprintf(&line, format, args) >= 0);
    va_end(args);
    MUST(asprintf(&rig.told, "%s%s\n", strempty(before), line) >= 0);
}

void rig_forget(void) {
    free(rig.told);
    rig.told = NULL;
}

static const char *find_line(const char *from, const char *text) {
    size_t n = strlen(text);

    for (const char *line = from; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, text, n) == 0)
            return line;
    return NULL;
}

unsigned rig_count(const char *text) {
    const char *line = strempty(rig.told);
    unsigned n = 0;

    while ((line = find_line(line, text))) {
        n++;
        line = strchr(line, '\n') + 1;
    }
    return n;
}

static bool is_told(void *text) {
    return rig_count(text) > 0;
}

void rig_wait_until(bool (*holds)(void *arg), void *arg) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + DEADLINE_USEC;

    while (!holds(arg)) {
        if (clock_usec(CLOCK_MONOTONIC) > deadline)
            ck_abort_msg("it does not come; told was:\n%.1500s", strempty(rig.told));
        MUST(sd_event_run(rig.event, 100 * USEC_PER_MSEC) >= 0);
    }
}

void rig_wait_for(const char *text) {
    _cleanup_free_ char *copy = strdup(text);

    MUST(copy);
    rig_wait_until(is_told, copy);
}

void rig_run(uint64_t usec) {
    uint64_t end = clock_usec(CLOCK_MONOTONIC) + usec, now;

    while ((now = clock_usec(CLOCK_MONOTONIC)) < end)
        MUST(sd_event_run(rig.event, end - now) >= 0);
}

static void on_checked(void *userdata, Backend *b, bool online, const char *json) {
    rig_say("%s checked %s%s%s", b->name, online ? "yes" : "no", json ? " " : "", strempty(json));
}

static void on_state(void *userdata, Backend *b) {
    rig_say("%s state %s%s%s", b->name, backend_state_to_string(b->state), *b->reason ? ": " : "",
            b->reason);
}

static void on_updated(void *userdata, Backend *b, const char *path, const char *json) {
    rig_say("%s updated %s %s", b->name, path, json);
}

static void on_error(void *userdata, Backend *b, const char *message) {
    rig_say("%s error %s", b->name, message);
}

static void on_messages(void *userdata, Backend *b, const char *peer, const MessageList *l) {
    rig_say("%s messages %s %zu", b->name, peer, l->n);
}

static void on_peer(void *userdata, Backend *b) {
    rig_say("%s peer %s", b->name, b->current_peer);
}

static const BackendEvents events = {
    .checked = on_checked,
    .state_changed = on_state,
    .updated = on_updated,
    .error = on_error,
    .messages_loaded = on_messages,
    .current_peer_changed = on_peer,
};

/* ---- those who ask ---- */

static const char *error_text(const Error *error) {
    static char text[1024];

    text[0] = '\0';
    if (error->code != ERROR_NONE)
        snprintf(text, sizeof(text), " %s: %s", error_code_to_string(error->code),
                 strempty(error->message));
    return text;
}

static void on_check_answer(void *arg, bool online, const Error *error) {
    _cleanup_free_ char *name = arg;
    rig_say("check %s %s%s", name, online ? "yes" : "no", error_text(error));
}

static void on_poll_answer(void *arg, const Error *error) {
    _cleanup_free_ char *name = arg;
    rig_say("poll %s%s", name, error_text(error));
}

static void on_request_answer(void *arg, unsigned status, const char *body, const Error *error) {
    _cleanup_free_ char *name = arg;
    rig_say("request %s %u %s%s", name, status, body, error_text(error));
}

int rig_check(Backend *b) {
    char *name = strdup(b->name);
    int r = backend_watch_check(b, on_check_answer, name);

    if (r < 0)
        free(name);
    return r;
}

int rig_poll(Backend *b) {
    char *name = strdup(b->name);
    int r = backend_watch_poll(b, on_poll_answer, name);

    if (r < 0)
        free(name);
    return r;
}

int rig_request(Backend *b, const char *method, const char *path, const char *body, Error *error) {
    char *name = strdup(b->name);
    int r = backend_watch_request(b, method, path, body, on_request_answer, name, error);

    if (r < 0)
        free(name);
    return r;
}

/* The answer comes last of all that is told. */
static const char *answer_of(const char *what, const Backend *b) {
    static char answers[4][1024];
    static size_t next;
    char *answer = answers[next++ % ELEMENTSOF(answers)], begin[256];
    const char *line, *last = NULL;

    snprintf(begin, sizeof(begin), "%s %s", what, b->name);
    rig_wait_for(begin);
    for (line = rig.told; (line = find_line(line, begin)); line = strchr(line, '\n') + 1)
        last = line;
    snprintf(answer, sizeof(answers[0]), "%.*s", (int)strcspn(last, "\n"), last);
    return answer;
}

const char *rig_check_now(Backend *b) {
    rig_forget();
    MUST(rig_check(b) == 0);
    return answer_of("check", b);
}

const char *rig_poll_now(Backend *b) {
    rig_forget();
    MUST(rig_poll(b) == 0);
    return answer_of("poll", b);
}

/* ---- backends ---- */

static void parse(BackendSettings *s, char *word) {
    const BackendSetting *setting;
    char *value = strchr(word, '=');
    Error error = {};

    MUST(value);
    *value++ = '\0';
    for (char *c = value; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    setting = backend_setting_by_key(word);
    MUST(setting);
    if (backend_setting_parse(s, setting, value, &error) < 0)
        ck_abort_msg("%s=%s: %s", word, value, error.message);
}

BackendSettings *rig_settings(const char *text) {
    _cleanup_free_ char *all = NULL;
    BackendSettings *s = backend_settings_new();
    Error error = {};
    char *rest, *word;

    MUST(
        s &&
        asprintf(
            &all,
            "Url=http://127.0.0.1:%u StatusPath=/status StatusIntervalSec=1w PollIntervalSec=1w %s",
            rig.port, text) > 0);
    rest = all;
    while ((word = strsep(&rest, " ")))
        if (*word)
            parse(s, word);
    if (backend_settings_check(s, &error) < 0)
        ck_abort_msg("%s: %s", text, error.message);
    return s;
}

Backend *rig_add(const char *name, const char *text) {
    Backend *b = backend_new(name, rig_settings(text));

    MUST(b && backend_watch_add(rig.watches, b) == 0);
    return b;
}

Backend *rig_add_online(const char *text) {
    Backend *b;

    rig_answer("/status", 200, "", STATUS);
    b = rig_add("b", text);
    if (b->polling)
        rig_wait_for("b checked yes");
    else
        ck_assert_str_eq(rig_check_now(b), "check b yes");
    rig_forget();
    return b;
}

void rig_remove(Backend *b) {
    backend_watch_remove(b);
    MUST(!b->watch);
    backend_free(b);
}

/* ---- life ---- */

void rig_setup(void) {
    rig = (WatchRig){};
    MUST(sd_event_new(&rig.event) >= 0);
    rig.server = calloc(1, sizeof(struct RigServer));
    MUST(rig.server);
    rig.server->fd = -EBADF;
    TAILQ_INIT(&rig.server->routes);
    TAILQ_INIT(&rig.server->conns);
    rig_open_server();
    MUST(http_loop_new(&rig.loop, rig.event) == 0);
    MUST(backend_watches_new(&rig.watches, rig.event, rig.loop, &events, NULL) == 0);
}

void rig_teardown(void) {
    backend_watches_free(rig.watches);
    http_loop_free(rig.loop);
    server_free(rig.server);
    sd_event_unref(rig.event);
    rig_forget();
}
