#include "daemon/http/network-state.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"

#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)
/* Routes come in swarms, and before they are of use: so long it is quiet before anybody asks. */
#define SETTLE_USEC (100 * USEC_PER_MSEC)

struct NetworkState {
    HttpLoop *loop; /* not owned */
    NetworkNewsFunc func;
    void *userdata; /* not owned */
    int fd;         /* rtnetlink */
    sd_event_source *routes;
    sd_event_source *news; /* enabled: there is some */
    uint64_t told;         /* when, CLOCK_MONOTONIC */

    char *probe;
    HttpCall *call;
    bool works;     /* what it has found */
    uint64_t found; /* when; 0 = never */
    TAILQ_HEAD(, NetworkQuestion) questions;
};

/* ---- routes ---- */

static bool is_news(const void *data, size_t size) {
    const struct nlmsghdr *h = data;

    for (; NLMSG_OK(h, size); h = NLMSG_NEXT(h, size))
        if (h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_NEWADDR)
            return true;
    return false;
}

/* Reads all that is there, but not for ever. True: something has come. When the kernel had no room
 * for a message (ENOBUFS), it may have been one. */
static bool read_routes(int fd) {
    union {
        struct nlmsghdr header;
        char data[8192];
    } buffer;
    bool news = false;

    for (int i = 0; i < 100; i++) {
        ssize_t n = recv(fd, &buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0 && errno == ENOBUFS) {
            news = true;
            continue;
        }
        if (n <= 0)
            break;
        news = is_news(&buffer, (size_t)n) || news;
    }
    return news;
}

static int on_routes(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    NetworkState *n = userdata;
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    int enabled = SD_EVENT_OFF;

    if (!read_routes(fd))
        return 0;
    n->found = 0;
    sd_event_source_get_enabled(n->news, &enabled);
    if (enabled != SD_EVENT_OFF)
        return 0;
    sd_event_source_set_time(n->news, MAX(now + SETTLE_USEC, n->told + NETWORK_NEWS_INTERVAL));
    return sd_event_source_set_enabled(n->news, SD_EVENT_ONESHOT);
}

static int on_news(sd_event_source *s, uint64_t usec, void *userdata) {
    NetworkState *n = userdata;

    n->told = clock_usec(CLOCK_MONOTONIC);
    n->func(n->userdata);
    return 0;
}

static int open_routes(NetworkState *n, sd_event *event) {
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups =
            RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    int r;

    n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (n->fd < 0 || bind(n->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    r = sd_event_add_io(event, &n->routes, n->fd, EPOLLIN, on_routes, n);
    return r < 0 ? r : sd_event_source_set_priority(n->routes, PRIORITY);
}

static int add_news(NetworkState *n, sd_event *event) {
    int r = sd_event_add_time(event, &n->news, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_news, n);

    if (r >= 0)
        r = sd_event_source_set_enabled(n->news, SD_EVENT_OFF);
    return r < 0 ? r : sd_event_source_set_priority(n->news, PRIORITY);
}

/* ---- the probe ---- */

static void answer(NetworkState *n) {
    NetworkQuestion *q;

    n->found = clock_usec(CLOCK_MONOTONIC);
    while ((q = TAILQ_FIRST(&n->questions))) {
        network_question_drop(q);
        q->func(q->arg, n->works);
    }
}

/* A portal that wants a password first, answers with a redirect to itself. */
static void on_probe(void *userdata, const HttpReply *reply) {
    NetworkState *n = userdata;

    n->call = NULL;
    n->works = reply->error == 0 && reply->status >= 200 && reply->status <= 299;
    answer(n);
}

static int begin_probe(NetworkState *n) {
    HttpRequest request = {
        .method = "GET",
        .url = n->probe,
        .timeout_usec = NETWORK_PROBE_TIMEOUT,
        .response_max = 64 * KIB,
        .keep_redirect = true,
    };

    return n->call ? 0 : http_call_start(n->loop, &request, on_probe, n, &n->call);
}

bool network_state_ask(NetworkState *n, NetworkQuestion *q, bool *ret_works) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    int r;

    *ret_works = true;
    if (!n->probe)
        return false;
    if (n->found > 0 && now - n->found < NETWORK_PROBE_KEEP) {
        *ret_works = n->works;
        return false;
    }
    r = begin_probe(n);
    if (r < 0) {
        log_warning_errno(r, "Cannot ask %s whether the network works, ignoring", n->probe);
        return false;
    }
    q->state = n;
    TAILQ_INSERT_TAIL(&n->questions, q, link);
    return true;
}

void network_question_drop(NetworkQuestion *q) {
    if (q->state)
        TAILQ_REMOVE(&q->state->questions, q, link);
    q->state = NULL;
}

int network_state_set_probe(NetworkState *n, const char *url) {
    char *copy = isempty(url) ? NULL : strdup(url);

    if (!isempty(url) && !copy)
        return -ENOMEM;
    free(n->probe);
    n->probe = copy;
    n->found = 0;
    return 0;
}

/* ---- life ---- */

int network_state_new(NetworkState **ret, sd_event *event, HttpLoop *loop, NetworkNewsFunc func,
                      void *userdata) {
    _cleanup_(network_state_freep) NetworkState *n = malloc(sizeof(NetworkState));
    int r;

    if (!n)
        return -ENOMEM;
    *n = (NetworkState){.loop = loop, .func = func, .userdata = userdata, .fd = -EBADF};
    TAILQ_INIT(&n->questions);
    r = add_news(n, event);
    if (r < 0)
        return r;
    r = open_routes(n, event);
    if (r < 0)
        log_warning_errno(r, "Cannot be told of new routes of the network, ignoring");
    *ret = TAKE_PTR(n);
    return 0;
}

NetworkState *network_state_free(NetworkState *n) {
    if (!n)
        return NULL;
    while (!TAILQ_EMPTY(&n->questions))
        network_question_drop(TAILQ_FIRST(&n->questions));
    http_call_free(n->call);
    sd_event_source_disable_unref(n->routes);
    sd_event_source_disable_unref(n->news);
    close_fd(n->fd);
    free(n->probe);
    free(n);
    return NULL;
}
