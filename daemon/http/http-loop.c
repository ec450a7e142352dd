#include "daemon/http/http-loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/http/http-private.h"
#include "daemon/http/http-url.h"

/* After the bus, so that its calls come first; and in small portions, for while one is at work no
 * call is answered. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)
#define ACCURACY_USEC (1 * USEC_PER_MSEC)
#define PORTION 8
/* A connection of TLS takes some milliseconds to begin. */
#define TLS_PORTION 1

/* How late a stall, or a name that is not resolved, may be seen. */
#define SWEEP_USEC (200 * USEC_PER_MSEC)

/* Handles that wait for the next request. */
#define POOL_MAX 64

/* Connections that are kept when nothing uses them: one for each of a thousand backends. When there
 * were no calls for a while, all of them go: nobody would notice that a server has closed one. */
#define CONNECTIONS_MAX 1200

struct HttpLoop {
    sd_event *event;
    CURLM *multi;
    sd_event_source *timer;
    uint64_t due, armed; /* CLOCK_MONOTONIC; what libcurl wants, and the timer is set to */
    /* All three have no descriptor: a turn of the loop each. */
    sd_event_source *kick;     /* libcurl wants to be called now */
    sd_event_source *starter;  /* calls are queued */
    sd_event_source *finisher; /* calls are over */
    /* Time passes for those that wait for a name, or stand still. */
    sd_event_source *sweeper;
    sd_event_source *idler; /* enabled: connections may have been idle for long then */
    uint64_t used;          /* when the last call went, CLOCK_MONOTONIC */
    uint64_t idle_usec;
    HttpNames *names; /* NULL: a proxy resolves them, or libcurl does */
    struct HttpCallList queued, naming, active, failed;
    size_t calls;
    int in_multi; /* handles that are there and have not ended, as far as we know */
    CURL *pool[POOL_MAX];
    size_t n_pool;
};

/* ---- the event loop ---- */

static void turn_on(sd_event_source *s) {
    int r = sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    if (r < 0)
        log_warning_errno(r, "Cannot set a source of HTTP, ignoring");
}

/* After each call of libcurl that does work. */
static void look(HttpLoop *l, int running) {
    if (running < l->in_multi)
        turn_on(l->finisher);
}

static void act(HttpLoop *l, curl_socket_t fd, int events) {
    int running = 0;
    CURLMcode r = curl_multi_socket_action(l->multi, fd, events, &running);

    if (r != CURLM_OK)
        log_warning("HTTP requests: %s, ignoring", curl_multi_strerror(r));
    look(l, running);
}

static int on_kick(sd_event_source *s, void *userdata) {
    act(userdata, CURL_SOCKET_TIMEOUT, 0);
    return 0;
}

static int on_socket(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    int events = 0;

    if (revents & (EPOLLIN | EPOLLRDHUP))
        events |= CURL_CSELECT_IN;
    if (revents & EPOLLOUT)
        events |= CURL_CSELECT_OUT;
    if (revents & (EPOLLERR | EPOLLHUP))
        events |= CURL_CSELECT_ERR;
    act(userdata, fd, events);
    return 0;
}

static uint32_t events_of(int what) {
    return (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
}

static int add_socket(HttpLoop *l, curl_socket_t fd, uint32_t events) {
    sd_event_source *s;
    int r = sd_event_add_io(l->event, &s, fd, events, on_socket, l);

    if (r < 0)
        return r;
    sd_event_source_set_priority(s, PRIORITY);
    (void)sd_event_source_set_description(s, "http-socket");
    curl_multi_assign(l->multi, fd, s);
    return 0;
}

static int socket_function(CURL *easy, curl_socket_t fd, int what, void *userdata,
                           void *socket_userdata) {
    HttpLoop *l = userdata;
    sd_event_source *s = socket_userdata;
    int r;

    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(s);
        return 0;
    }
    if (s)
        r = sd_event_source_set_io_events(s, events_of(what));
    else
        r = add_socket(l, fd, events_of(what));
    if (r < 0)
        log_warning_errno(r, "Cannot watch a socket of HTTP");
    return r < 0 ? -1 : 0;
}

/* ---- time ---- */

static int arm(HttpLoop *l) {
    int r;

    l->armed = l->due;
    r = sd_event_source_set_time(l->timer, l->due);
    return r < 0 ? r : sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

/* It was set to an earlier time than what libcurl wants by now: with each request that ends in time
 * its timeout goes, and setting the clock is a system call. */
static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    HttpLoop *l = userdata;

    l->armed = USEC_INFINITY;
    if (l->due == USEC_INFINITY)
        return 0;
    if (l->due > clock_usec(CLOCK_MONOTONIC))
        return arm(l);
    l->due = USEC_INFINITY;
    act(l, CURL_SOCKET_TIMEOUT, 0);
    return 0;
}

static int timer_function(CURLM *multi, long timeout_msec, void *userdata) {
    HttpLoop *l = userdata;

    l->due = USEC_INFINITY;
    if (timeout_msec < 0)
        return 0;
    if (timeout_msec == 0) {
        turn_on(l->kick);
        return 0;
    }
    l->due = clock_usec(CLOCK_MONOTONIC) + (uint64_t)timeout_msec * USEC_PER_MSEC;
    return l->due < l->armed && arm(l) < 0 ? -1 : 0;
}

static void sweep_soon(HttpLoop *l) {
    int enabled;

    if (sd_event_source_get_enabled(l->sweeper, &enabled) >= 0 && enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time(l->sweeper, clock_usec(CLOCK_MONOTONIC) + SWEEP_USEC);
    turn_on(l->sweeper);
}

/* While calls come and go, it is not set anew. */
static void idle_soon(HttpLoop *l) {
    int enabled;

    l->used = clock_usec(CLOCK_MONOTONIC);
    if (sd_event_source_get_enabled(l->idler, &enabled) >= 0 && enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time(l->idler, l->used + l->idle_usec);
    turn_on(l->idler);
}

/* ---- handles ---- */

static CURL *take_easy(HttpLoop *l) {
    return l->n_pool > 0 ? l->pool[--l->n_pool] : curl_easy_init();
}

/* For the next request. */
static void give_easy(HttpLoop *l, CURL *easy) {
    if (l->n_pool == POOL_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    l->pool[l->n_pool++] = easy;
}

/* ---- calls ---- */

static struct HttpCallList *list_of(HttpCall *c) {
    switch (c->state) {
    case HTTP_CALL_QUEUED:
        return &c->loop->queued;
    case HTTP_CALL_NAMING:
        return &c->loop->naming;
    case HTTP_CALL_ACTIVE:
        return &c->loop->active;
    case HTTP_CALL_FAILED:
        return &c->loop->failed;
    default:
        return NULL;
    }
}

static void set_state(HttpCall *c, HttpCallState state) {
    if (list_of(c))
        TAILQ_REMOVE(list_of(c), c, link);
    c->state = state;
    if (list_of(c))
        TAILQ_INSERT_TAIL(list_of(c), c, link);
}

static void take_back(HttpLoop *l, HttpCall *c) {
    curl_multi_remove_handle(l->multi, c->easy);
    l->in_multi--;
}

/* In the midst of a request: what is left of it is in the handle, and goes with it. */
static void break_off(HttpLoop *l, HttpCall *c) {
    take_back(l, c);
    curl_easy_cleanup(TAKE_PTR(c->easy));
}

static void release(HttpCall *c) {
    set_state(c, HTTP_CALL_TOLD);
    if (c->easy)
        give_easy(c->loop, TAKE_PTR(c->easy));
    if (--c->loop->calls == 0)
        idle_soon(c->loop);
    http_call_destroy(c);
}

/* Its error and text are set. */
static void fail(HttpLoop *l, HttpCall *c) {
    if (c->state == HTTP_CALL_ACTIVE)
        break_off(l, c);
    set_state(c, HTTP_CALL_FAILED);
    turn_on(l->finisher);
}

/* Hands it to libcurl, which begins when it is kicked. */
static int hand_over(HttpLoop *l, HttpCall *c) {
    int r;

    c->easy = take_easy(l);
    if (!c->easy)
        return -ENOMEM;
    r = http_call_prepare(c);
    if (r < 0)
        return r;
    if (curl_multi_add_handle(l->multi, c->easy) != CURLM_OK)
        return -ENOMEM;
    l->in_multi++;
    set_state(c, HTTP_CALL_ACTIVE);
    sweep_soon(l);
    return 0;
}

static void begin(HttpLoop *l, HttpCall *c) {
    int r = l->names ? http_call_find_name(c, l->names) : 1;

    if (r == 0) {
        set_state(c, HTTP_CALL_NAMING);
        sweep_soon(l);
        return;
    }
    if (r > 0) {
        r = hand_over(l, c);
        if (r == 0)
            return;
        http_call_fail(c, r, r == -ETIMEDOUT ? "no answer in time" : strerror(-r));
    }
    fail(l, c);
}

static void on_name(void *userdata, const char *name) {
    HttpLoop *l = userdata;
    HttpCall *c, *next;

    for (c = TAILQ_FIRST(&l->naming); c; c = next) {
        next = TAILQ_NEXT(c, link);
        if (streq(c->name, name))
            set_state(c, HTTP_CALL_QUEUED);
    }
    turn_on(l->starter);
}

static int on_start(sd_event_source *s, void *userdata) {
    HttpLoop *l = userdata;

    for (unsigned n = 0; n < PORTION && !TAILQ_EMPTY(&l->queued);) {
        HttpCall *c = TAILQ_FIRST(&l->queued);
        n += http_url_is_https(c->request.url) ? PORTION / TLS_PORTION : 1;
        begin(l, c);
    }
    if (!TAILQ_EMPTY(&l->queued))
        turn_on(l->starter);
    return 0;
}

/* The message belongs to the handle, and goes with it. */
static void ended(HttpLoop *l, const CURLMsg *message) {
    CURLcode code = message->data.result;
    CURL *easy = message->easy_handle;
    HttpCall *c = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
    take_back(l, c);
    if (http_call_goes_on(c, code)) {
        give_easy(l, TAKE_PTR(c->easy));
        set_state(c, HTTP_CALL_QUEUED);
        turn_on(l->starter);
        return;
    }
    set_state(c, HTTP_CALL_TOLD);
    http_call_tell(c);
    release(c);
}

/* The next one that is over. */
static bool finish_one(HttpLoop *l) {
    HttpCall *c = TAILQ_FIRST(&l->failed);
    CURLMsg *message;
    int left;

    if (c) {
        set_state(c, HTTP_CALL_TOLD);
        http_call_tell(c);
        release(c);
        return true;
    }
    message = curl_multi_info_read(l->multi, &left);
    if (message)
        ended(l, message);
    return message;
}

static int on_finish(sd_event_source *s, void *userdata) {
    HttpLoop *l = userdata;
    unsigned n = 0;

    while (n < PORTION && finish_one(l))
        n++;
    if (n == PORTION)
        turn_on(l->finisher);
    return 0;
}

/* Each is looked at: so there is one source of time for all of them. */
static void sweep(HttpLoop *l, struct HttpCallList *list, uint64_t now,
                  bool (*is_over)(HttpCall *c, uint64_t now)) {
    HttpCall *c, *next;

    for (c = TAILQ_FIRST(list); c; c = next) {
        next = TAILQ_NEXT(c, link);
        if (is_over(c, now))
            fail(l, c);
    }
}

static int on_sweep(sd_event_source *s, uint64_t usec, void *userdata) {
    HttpLoop *l = userdata;
    uint64_t now = clock_usec(CLOCK_MONOTONIC);

    sweep(l, &l->naming, now, http_call_name_is_late);
    sweep(l, &l->active, now, http_call_is_stuck);
    if (!TAILQ_EMPTY(&l->naming) || !TAILQ_EMPTY(&l->active))
        sweep_soon(l);
    return 0;
}

int http_call_start(HttpLoop *l, const HttpRequest *request, HttpDoneFunc func, void *userdata,
                    HttpCall **ret) {
    HttpCall *c;

    if (l->calls >= HTTP_CALLS_MAX)
        return -ENOBUFS;
    if (!http_request_is_valid(request))
        return -EINVAL;
    c = http_call_new(request);
    if (!c)
        return -ENOMEM;
    c->loop = l;
    c->func = func;
    c->userdata = userdata;
    c->state = HTTP_CALL_QUEUED;
    TAILQ_INSERT_TAIL(&l->queued, c, link);
    l->calls++;
    turn_on(l->starter);
    if (ret)
        *ret = c;
    return 0;
}

HttpCall *http_call_free(HttpCall *c) {
    if (!c || c->state == HTTP_CALL_TOLD)
        return NULL;
    if (c->state == HTTP_CALL_ACTIVE)
        break_off(c->loop, c);
    release(c);
    return NULL;
}

void http_loop_set_idle(HttpLoop *l, uint64_t usec) {
    l->idle_usec = usec;
}

size_t http_loop_calls(const HttpLoop *l) {
    return l->calls;
}

/* ---- life ---- */

static int lowest_fd(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close_fd(fd);
    return fd;
}

/* It makes a pair of sockets that would be handed on to whatever the program executes. New
 * descriptors are the lowest that are free, and so lie between these two. */
static CURLM *new_multi(void) {
    int first = lowest_fd();
    CURLM *multi = curl_multi_init();
    int last = lowest_fd();

    for (int fd = first; fd >= 0 && fd < last; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return multi;
}

static int make_multi(HttpLoop *l) {
    l->multi = new_multi();
    if (!l->multi)
        return -ENOMEM;
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, socket_function);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, timer_function);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
    curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    return 0;
}

/* libcurl closes what it keeps only with all else. */
static int on_idle(sd_event_source *s, uint64_t usec, void *userdata) {
    HttpLoop *l = userdata;
    CURLM *before = l->multi;

    if (l->calls > 0)
        return 0;
    if (clock_usec(CLOCK_MONOTONIC) < l->used + l->idle_usec) {
        (void)sd_event_source_set_time(s, l->used + l->idle_usec);
        turn_on(s);
        return 0;
    }
    if (make_multi(l) < 0)
        l->multi = before;
    else
        curl_multi_cleanup(before);
    return 0;
}

static int add_defer(HttpLoop *l, sd_event_source **ret, sd_event_handler_t func,
                     const char *name) {
    int r = sd_event_add_defer(l->event, ret, func, l);

    if (r < 0)
        return r;
    (void)sd_event_source_set_description(*ret, name);
    r = sd_event_source_set_priority(*ret, PRIORITY);
    return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int add_time(HttpLoop *l, sd_event_source **ret, uint64_t accuracy_usec,
                    sd_event_time_handler_t func, const char *name) {
    int r = sd_event_add_time(l->event, ret, CLOCK_MONOTONIC, 0, accuracy_usec, func, l);

    if (r < 0)
        return r;
    (void)sd_event_source_set_description(*ret, name);
    r = sd_event_source_set_priority(*ret, PRIORITY);
    return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int add_sources(HttpLoop *l) {
    int r = add_defer(l, &l->kick, on_kick, "http-kick");

    if (r >= 0)
        r = add_defer(l, &l->starter, on_start, "http-start");
    if (r >= 0)
        r = add_defer(l, &l->finisher, on_finish, "http-finish");
    if (r >= 0)
        r = add_time(l, &l->timer, ACCURACY_USEC, on_timer, "http-timer");
    if (r >= 0)
        r = add_time(l, &l->sweeper, SWEEP_USEC, on_sweep, "http-sweep");
    return r < 0 ? r : add_time(l, &l->idler, USEC_PER_SEC, on_idle, "http-idle");
}

/* Where a proxy is, it is asked for names that need not be known here; who goes by it, and who does
 * not, libcurl knows. */
static bool has_proxy(void) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if (!isempty(getenv(names[i])))
            return true;
    return false;
}

int http_loop_new(HttpLoop **ret, sd_event *event) {
    HttpLoop *l = calloc(1, sizeof(HttpLoop));
    int r;

    if (!l)
        return -ENOMEM;
    l->event = sd_event_ref(event);
    l->due = l->armed = USEC_INFINITY;
    l->idle_usec = HTTP_IDLE_DEFAULT;
    TAILQ_INIT(&l->queued);
    TAILQ_INIT(&l->naming);
    TAILQ_INIT(&l->active);
    TAILQ_INIT(&l->failed);
    r = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? add_sources(l) : -ENOMEM;
    if (r >= 0)
        r = make_multi(l);
    if (r >= 0 && !has_proxy())
        r = http_names_new(&l->names, event, PRIORITY, on_name, l);
    if (r < 0) {
        http_loop_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

static void drop_all(struct HttpCallList *list) {
    while (!TAILQ_EMPTY(list))
        http_call_free(TAILQ_FIRST(list));
}

HttpLoop *http_loop_free(HttpLoop *l) {
    if (!l)
        return NULL;
    drop_all(&l->queued);
    drop_all(&l->naming);
    drop_all(&l->active);
    drop_all(&l->failed);
    while (l->n_pool > 0)
        curl_easy_cleanup(l->pool[--l->n_pool]);
    /* Closes what is kept, and calls socket_function for each. */
    curl_multi_cleanup(l->multi);
    http_names_free(l->names);
    sd_event_source_disable_unref(l->timer);
    sd_event_source_disable_unref(l->sweeper);
    sd_event_source_disable_unref(l->idler);
    sd_event_source_disable_unref(l->kick);
    sd_event_source_disable_unref(l->starter);
    sd_event_source_disable_unref(l->finisher);
    sd_event_unref(l->event);
    free(l);
    return NULL;
}
