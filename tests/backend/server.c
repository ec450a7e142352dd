#include "tests/backend/server.h"

#include <errno.h>
#include <sys/epoll.h>

#include "tests/backend/control.h"
#include "tests/backend/memory.h"
#include "tests/backend/stream.h"
#include "tests/backend/wait.h"

/* ---- requests ---- */

/* What came, told back. */
static bool echo_route(Exchange *e) {
    cJSON *j;

    if (!streq(e->route, "/echo"))
        return false;
    j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "method", e->method);
    cJSON_AddStringToObject(j, "target", e->target);
    cJSON_AddStringToObject(j, "content_type", strempty(exchange_header(e, "Content-Type")));
    cJSON_AddStringToObject(j, "body", strempty(e->body));
    reply_json(e, 200, j);
    return true;
}

static bool is_authorized(Exchange *e) {
    const char *wanted = e->server->authorization, *given = exchange_header(e, "Authorization");

    if (isempty(wanted) || streq(strempty(given), wanted))
        return true;
    reply_error(e, 401, "who are you?");
    reply_header(e, "WWW-Authenticate", "%.*s", (int)strcspn(wanted, " "), wanted);
    return false;
}

static void answer(Exchange *e) {
    Server *s = e->server;

    if (e->too_large)
        reply_error(e, 413, "a body has at most %d bytes", (int)BODY_MAX);
    else if (is_authorized(e) && !messenger_route(e, &s->messenger) &&
             !documents_route(e, &s->documents) && !files_route(e, &s->files) &&
             !operations_route(e, &s->operations) && !echo_route(e))
        reply_error(e, 404, "nothing here: %s %s", e->method, e->path);
}

static enum MHD_Result serve(Exchange *e) {
    if (!e->received) {
        e->received = true;
        if (control_route(e, e->server))
            return stream_send(e);
        e->fault = faults_match(&e->server->faults, e);
        records_add(&e->server->records, e);
    }
    FaultStep step = fault_before(e);
    if (step == FAULT_WAITS)
        return MHD_YES;
    if (step == FAULT_CLOSE)
        return MHD_NO;
    if (step == FAULT_NONE)
        answer(e);
    fault_after(e);
    return stream_send(e);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection) {
    return exchange_new(cls, uri);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **arg) {
    Exchange *e = *arg;

    if (!e->begun) {
        exchange_begin(e, connection, method, url);
        return MHD_YES;
    }
    if (*size > 0) {
        exchange_body(e, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return e->wait.gone || e->server->stopping ? MHD_NO : serve(e);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **arg,
                         enum MHD_RequestTerminationCode why) {
    *arg = exchange_free(*arg);
}

/* ---- connections ---- */

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    Server *s = cls;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        s->connections--;
        return;
    }
    s->connections++;
    s->connections_peak = MAX(s->connections_peak, s->connections);
    *context = (void *)(uintptr_t)++s->connections_total;
}

static void on_log(void *cls, const char *format, va_list ap) {
    /* Connections that end early are what this is for. */
}

/* ---- the loop ---- */

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Server *s = userdata;

    s->resumed = false;
    (void)MHD_run(s->daemon);
    return 0;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
    return on_io(source, -EBADF, 0, userdata);
}

/* Before it waits: there may be something left that no descriptor tells of. */
static int on_prepare(sd_event_source *source, void *userdata) {
    Server *s = userdata;
    MHD_UNSIGNED_LONG_LONG ms;

    if (s->resumed)
        ms = 0;
    else if (MHD_get_timeout(s->daemon, &ms) != MHD_YES)
        return sd_event_source_set_enabled(s->again, SD_EVENT_OFF);
    int r = sd_event_source_set_time_relative(s->again, ms * USEC_PER_MSEC);
    return r < 0 ? r : sd_event_source_set_enabled(s->again, SD_EVENT_ONESHOT);
}

static struct MHD_Daemon *daemon_start(Server *s, int listen_fd) {
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, s->key},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

    s->https = s->cert != NULL;
    return MHD_start_daemon(flags | (s->https ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, s,
                            MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_EXTERNAL_LOGGER, on_log,
                            NULL, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_URI_LOG_CALLBACK, on_uri,
                            s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY,
                            s->https ? tls : tls + ELEMENTSOF(tls) - 1, MHD_OPTION_END);
}

int server_start(Server *s, int listen_fd) {
    s->daemon = daemon_start(s, listen_fd);
    if (!s->daemon) {
        close(listen_fd);
        return -EINVAL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int r = sd_event_add_io(s->event, &s->io, info->epoll_fd, EPOLLIN, on_io, s);
    if (r >= 0)
        r = sd_event_add_time(s->event, &s->again, CLOCK_MONOTONIC, 0, 1, on_again, s);
    return r < 0 ? r : sd_event_source_set_prepare(s->io, on_prepare);
}

void server_stop(Server *s) {
    s->stopping = true;
    while (s->waiting)
        wait_give_up(s->waiting);
    s->io = sd_event_source_disable_unref(s->io);
    s->again = sd_event_source_disable_unref(s->again);
    if (s->daemon) {
        (void)MHD_run(s->daemon); /* none may be suspended at the end */
        MHD_stop_daemon(s->daemon);
    }
    s->daemon = NULL;
}
