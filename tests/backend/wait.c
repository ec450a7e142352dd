#include "tests/backend/wait.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "tests/backend/server.h"

/* ---- sockets ---- */

void socket_push(int fd) {
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* To connect to nowhere aborts a connection; closing with a linger time of zero would come too
 * late, after the FIN of a shutdown(2). */
void socket_reset(int fd) {
    socket_push(fd);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                     sizeof(struct linger));
    (void)connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
}

/* ---- waits ---- */

static void list_remove(Exchange *e) {
    Wait *w = &e->wait;

    *(w->previous ? &w->previous->wait.next : &e->server->waiting) = w->next;
    if (w->next)
        w->next->wait.previous = w->previous;
    w->previous = w->next = NULL;
}

void wait_end(Exchange *e) {
    if (!e->wait.under_way)
        return;
    e->wait.under_way = false;
    e->wait.timer = sd_event_source_disable_unref(e->wait.timer);
    e->wait.hangup = sd_event_source_disable_unref(e->wait.hangup);
    list_remove(e);
}

static void go_on(Exchange *e) {
    wait_end(e);
    MHD_resume_connection(e->connection);
    e->server->resumed = true;
}

void wait_give_up(Exchange *e) {
    e->wait.gone = true;
    go_on(e);
}

static int on_time(sd_event_source *s, uint64_t usec, void *userdata) {
    go_on(userdata);
    return 0;
}

static int on_hangup(sd_event_source *s, int fd, uint32_t events, void *userdata) {
    wait_give_up(userdata);
    return 0;
}

void wait_begin(Exchange *e, uint64_t usec) {
    sd_event *event = e->server->event;

    socket_push(e->fd);
    MHD_suspend_connection(e->connection);
    e->wait.under_way = true;
    e->wait.next = e->server->waiting;
    if (e->wait.next)
        e->wait.next->wait.previous = e;
    e->server->waiting = e;
    if (usec != USEC_INFINITY &&
        sd_event_add_time(event, &e->wait.timer, CLOCK_MONOTONIC,
                          clock_usec(CLOCK_MONOTONIC) + usec, 1, on_time, e) < 0)
        abort();
    /* While it is suspended, libmicrohttpd does not look whether the client is still there. */
    if (sd_event_add_io(event, &e->wait.hangup, e->fd, EPOLLRDHUP, on_hangup, e) < 0)
        abort();
}
