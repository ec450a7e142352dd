#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/core/retry-after.h"
#include "daemon/http/backend-watch-private.h"

/* Those of the bus come before. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)
/* Small, for what has the same accuracy wakes up together: a thousand are to be spread. */
#define ACCURACY (10 * USEC_PER_MSEC)

DEFINE_CLEANUP(BackendWatches *, backend_watches_free)

/* ---- one of a kind at a time ---- */

static void ask_init(BackendAsk *a) {
    *a = (BackendAsk){.due = USEC_INFINITY};
    TAILQ_INIT(&a->asked);
}

int backend_ask_add(BackendAsk *a, BackendCheckFunc check, BackendPollFunc poll, void *arg) {
    BackendAsked *one;

    if (a->n_asked >= BACKEND_ASKED_MAX)
        return -ENOBUFS;
    one = malloc(sizeof(BackendAsked));
    if (!one)
        return -ENOMEM;
    *one = (BackendAsked){.check = check, .poll = poll, .arg = arg};
    TAILQ_INSERT_TAIL(&a->asked, one, link);
    a->n_asked++;
    return 0;
}

void backend_ask_tell(BackendAsk *a, bool online, const Error *error) {
    struct BackendAskedList list = TAILQ_HEAD_INITIALIZER(list);
    BackendAsked *one;

    TAILQ_CONCAT(&list, &a->asked, link);
    a->n_asked = 0;
    while ((one = TAILQ_FIRST(&list))) {
        TAILQ_REMOVE(&list, one, link);
        if (one->check)
            one->check(one->arg, online, error);
        else
            one->poll(one->arg, error);
        free(one);
    }
}

void backend_ask_drop(BackendAsk *a) {
    a->call = http_call_free(a->call);
    error_done(&a->unstarted);
}

bool backend_ask_stood_still(BackendAsk *a, const BackendWatch *w, const HttpReply *reply) {
    uint64_t took = clock_usec(CLOCK_MONOTONIC) - a->begun;

    if (reply->error != -ETIMEDOUT || a->repeated ||
        took < w->b->settings->timeout_usec + BACKEND_PAUSE_MIN)
        return false;
    a->repeated = true;
    return true;
}

void backend_ask_hold(BackendAsk *a, const BackendWatch *w, const HttpReply *reply) {
    uint64_t max = w->b->settings->backoff_max_usec, pause;

    pause = retry_after_usec(http_reply_header(reply, "Retry-After"),
                             http_reply_header(reply, "Date"), clock_usec(CLOCK_REALTIME), max);
    a->hold = pause > 0 ? clock_usec(CLOCK_MONOTONIC) + pause : 0;
}

/* ---- when ---- */

/* xorshift64*, which is random enough to spread what is not to come together. */
uint64_t backend_watch_random(BackendWatches *all) {
    uint64_t x = all->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    all->random = x;
    return (x * UINT64_C(0x2545f4914f6cdd1d)) >> 16;
}

void backend_watch_arm(BackendWatch *w) {
    uint64_t due = MIN(w->check.due, w->poll.due);

    if (w->check.unstarted.code != ERROR_NONE || w->poll.unstarted.code != ERROR_NONE)
        due = 0;
    sd_event_source_set_time(w->timer, due);
    sd_event_source_set_enabled(w->timer, due == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

void backend_watch_plan_check(BackendWatch *w, uint64_t due) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);

    w->check.due = due;
    w->b->next_check =
        due == USEC_INFINITY ? 0 : clock_usec(CLOCK_REALTIME) + (due > now ? due - now : 0);
    backend_watch_arm(w);
}

void backend_watch_plan_poll(BackendWatch *w, uint64_t due) {
    w->poll.due = due;
    backend_watch_arm(w);
}

/* When it was due long ago, it is spread instead. 0: now; else the time. */
static uint64_t delay(BackendWatch *w, uint64_t due, uint64_t now, uint64_t interval) {
    uint64_t pause = backend_plan_late(due, now, interval, backend_watch_random(w->all));

    return pause > 0 ? now + pause : 0;
}

static void check_due(BackendWatch *w, uint64_t now) {
    uint64_t later = delay(w, w->check.due, now, w->b->settings->status_interval_usec);

    if (later > 0)
        backend_watch_plan_check(w, later);
    else if (!backend_check_is_under_way(w))
        backend_check_begin(w, true);
    else {
        /* One that somebody has asked for: it is this one, too. */
        w->planned = true;
        backend_watch_plan_check(w, USEC_INFINITY);
    }
}

static void poll_due(BackendWatch *w, uint64_t now) {
    uint64_t later = delay(w, w->poll.due, now, w->b->settings->poll_interval_usec);

    if (later > 0)
        backend_watch_plan_poll(w, later);
    else if (!backend_poll_is_under_way(w))
        backend_poll_begin(w);
    else
        backend_watch_plan_poll(w, USEC_INFINITY);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    BackendWatch *w = userdata;
    uint64_t now = clock_usec(CLOCK_MONOTONIC);

    if (w->check.unstarted.code != ERROR_NONE)
        backend_check_unstarted(w);
    if (w->poll.unstarted.code != ERROR_NONE)
        backend_poll_unstarted(w);
    if (w->check.due <= now)
        check_due(w, now);
    if (w->poll.due <= now)
        poll_due(w, now);
    backend_watch_arm(w);
    return 0;
}

/* ---- the network ---- */

static void on_network(void *userdata) {
    BackendWatches *all = userdata;
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    BackendWatch *w;
    size_t n = 0;

    TAILQ_FOREACH (w, &all->list, link)
        n += w->b->state != BACKEND_ONLINE;
    TAILQ_FOREACH (w, &all->list, link) {
        uint64_t interval = w->b->settings->status_interval_usec;
        uint64_t due = now + backend_plan_first(interval, n, backend_watch_random(all));
        if (w->b->polling && w->b->state != BACKEND_ONLINE && !backend_check_is_under_way(w) &&
            MAX(due, w->check.hold) < w->check.due)
            backend_watch_plan_check(w, MAX(due, w->check.hold));
    }
}

/* ---- life of one ---- */

static const BackendType *find_type(const char *name) {
    static const BackendType *const types[] = {&backend_type_json, &backend_type_messenger};

    for (size_t i = 0; i < ELEMENTSOF(types); i++)
        if (streq(types[i]->name, name))
            return types[i];
    return &backend_type_json;
}

static BackendWatch *watch_free(BackendWatch *w) {
    backend_check_drop(w);
    backend_poll_drop(w);
    backend_poll_forget(w);
    sd_event_source_disable_unref(w->timer);
    http_client_free(w->client);
    free(w);
    return NULL;
}

static void plan_first(BackendWatch *w) {
    BackendWatches *all = w->all;
    uint64_t interval = w->b->settings->status_interval_usec;
    uint64_t pause = backend_plan_first(interval, all->n_new, backend_watch_random(all));

    if (w->b->polling)
        backend_watch_plan_check(w, clock_usec(CLOCK_MONOTONIC) + pause);
    else
        backend_check_stop(w);
}

static int add_timer(BackendWatch *w) {
    int r = sd_event_add_time(w->all->event, &w->timer, CLOCK_MONOTONIC, USEC_INFINITY, ACCURACY,
                              on_timer, w);

    return r < 0 ? r : sd_event_source_set_priority(w->timer, PRIORITY);
}

int backend_watch_add(BackendWatches *all, Backend *b) {
    BackendWatch *w = malloc(sizeof(BackendWatch));
    int r;

    if (!w)
        return -ENOMEM;
    *w = (BackendWatch){.all = all, .b = b, .type = find_type(b->settings->type), .is_new = true};
    ask_init(&w->check);
    ask_init(&w->poll);
    TAILQ_INIT(&w->requests);
    r = add_timer(w);
    if (r >= 0)
        r = http_client_new(&w->client, all->loop, b->settings);
    if (r < 0) {
        watch_free(w);
        return r;
    }
    TAILQ_INSERT_TAIL(&all->list, w, link);
    all->n_new++;
    b->watch = w;
    plan_first(w);
    return 0;
}

/* Checks that somebody waits for are made once more, polls follow when it is known to be online. */
int backend_watch_change(Backend *b) {
    BackendWatch *w = b->watch;
    const BackendType *type = find_type(b->settings->type);
    int r = http_client_change(w->client, b->settings);

    if (r < 0)
        return r;
    if (type != w->type && w->type->forget)
        w->type->forget(b);
    w->type = type;
    backend_check_drop(w);
    backend_poll_drop(w);
    backend_poll_forget(w);
    w->all->n_new += !w->is_new;
    w->is_new = true;
    w->health = (BackendHealth){};
    w->failures = 0;
    w->good = w->failing_since = 0;
    w->check.hold = w->poll.hold = 0;
    w->check.repeated = w->poll.repeated = false;
    memset(w->told, 0, sizeof(w->told));
    plan_first(w);
    if (!TAILQ_EMPTY(&w->check.asked))
        backend_check_begin(w, false);
    if (!TAILQ_EMPTY(&w->poll.asked))
        backend_poll_begin(w);
    else
        backend_poll_follow(w);
    return 0;
}

void backend_watch_remove(Backend *b) {
    _cleanup_error_ Error error = {};
    BackendWatch *w = b->watch;
    BackendWatches *all = w->all;

    error_set(&error, ERROR_NO_SUCH_BACKEND, "the backend %s has been removed meanwhile", b->name);
    b->watch = NULL;
    TAILQ_REMOVE(&all->list, w, link);
    all->n_new -= w->is_new;
    all->status_bytes -= b->status ? strlen(b->status) + 1 : 0;
    if (w->type->forget)
        w->type->forget(b);
    backend_check_drop(w);
    backend_poll_drop(w);
    backend_ask_tell(&w->check, false, &error);
    backend_ask_tell(&w->poll, false, &error);
    backend_requests_drop(w, &error);
    watch_free(w);
}

void backend_watch_set_polling(Backend *b, bool polling) {
    BackendWatch *w = b->watch;

    if (b->polling == polling)
        return;
    b->polling = polling;
    if (polling && !backend_check_is_under_way(w))
        backend_watch_plan_check(w, MAX(clock_usec(CLOCK_MONOTONIC), w->check.hold));
    if (!polling) {
        backend_check_stop(w);
        if (TAILQ_EMPTY(&w->poll.asked))
            backend_poll_drop(w);
    }
    backend_poll_follow(w);
}

HttpClient *backend_watch_client(Backend *b) {
    return ((BackendWatch *)b->watch)->client;
}

const BackendEvents *backend_watch_events(const Backend *b, void **ret_userdata) {
    const BackendWatch *w = b->watch;

    *ret_userdata = w->all->userdata;
    return w->all->events;
}

void backend_watch_note(Backend *b, const HttpReply *reply, const Error *error) {
    BackendWatch *w = b->watch;

    if (!error || error->code == ERROR_NONE)
        backend_news_good(w, BACKEND_FROM_OTHERS, reply->latency_usec);
    else
        backend_news_bad(w, BACKEND_FROM_OTHERS, strempty(error->message), true);
}

/* ---- life of all ---- */

static uint64_t random_seed(void) {
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        seed = clock_usec(CLOCK_MONOTONIC);
    return seed | 1; /* xorshift stays at zero */
}

int backend_watches_new(BackendWatches **ret, sd_event *event, HttpLoop *loop,
                        const BackendEvents *events, void *userdata) {
    _cleanup_(backend_watches_freep) BackendWatches *all = malloc(sizeof(BackendWatches));
    int r;

    if (!all)
        return -ENOMEM;
    *all = (BackendWatches){
        .event = event,
        .loop = loop,
        .events = events,
        .userdata = userdata,
        .random = random_seed(),
    };
    TAILQ_INIT(&all->list);
    r = network_state_new(&all->network, event, loop, on_network, all);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(all);
    return 0;
}

BackendWatches *backend_watches_free(BackendWatches *all) {
    if (!all)
        return NULL;
    while (!TAILQ_EMPTY(&all->list))
        backend_watch_remove(TAILQ_FIRST(&all->list)->b);
    network_state_free(all->network);
    free(all);
    return NULL;
}

int backend_watches_set_probe(BackendWatches *w, const char *url) {
    return network_state_set_probe(w->network, url);
}
