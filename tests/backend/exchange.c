#include "tests/backend/exchange.h"

#include "common/clock.h"
#include "tests/backend/memory.h"
#include "tests/backend/wait.h"

Exchange *exchange_new(Server *server, const char *target) {
    Exchange *e = must(malloc(sizeof(*e)));

    *e = (Exchange){
        .server = server,
        .fd = -EBADF,
        .target = must_copy(target),
        .time_usec = clock_usec(CLOCK_MONOTONIC),
    };
    return e;
}

static void reply_body_free(Reply *r) {
    free(r->body);
    r->body = NULL;
    r->read = NULL;
    r->size = 0;
}

Exchange *exchange_free(Exchange *e) {
    if (!e)
        return NULL;
    wait_end(e);
    reply_body_free(&e->reply);
    for (size_t i = 0; i < e->reply.n_headers; i++)
        free(e->reply.headers[i]);
    free(e->reply.headers);
    cJSON_Delete(e->fault);
    free(e->method);
    free(e->path);
    free(e->target);
    free(e->body);
    free(e);
    return NULL;
}

/* ---- the request ---- */

/* Each of many backends of one server has its own prefix. */
static const char *without_prefix(const char *path) {
    if (strncmp(path, "/b/", 3) != 0)
        return path;
    return strchr(path + 3, '/') ?: path;
}

void exchange_begin(Exchange *e, struct MHD_Connection *connection, const char *method,
                    const char *path) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    e->begun = true;
    e->connection = connection;
    e->fd = info ? info->connect_fd : -EBADF;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    e->number = info && info->socket_context ? (uintptr_t)info->socket_context : 0;
    e->method = must_copy(method);
    e->path = must_copy(path);
    e->route = without_prefix(e->path);
}

void exchange_body(Exchange *e, const char *data, size_t size) {
    if (size > BODY_MAX - e->body_size) {
        e->too_large = true;
        return;
    }
    e->body = must(realloc(e->body, e->body_size + size + 1));
    memcpy(e->body + e->body_size, data, size);
    e->body_size += size;
    e->body[e->body_size] = '\0';
}

bool exchange_is(const Exchange *e, const char *method) {
    return streq(e->method, method) || (streq(method, "GET") && streq(e->method, "HEAD"));
}

const char *exchange_header(const Exchange *e, const char *name) {
    return MHD_lookup_connection_value(e->connection, MHD_HEADER_KIND, name);
}

const char *exchange_argument(const Exchange *e, const char *name) {
    return MHD_lookup_connection_value(e->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_below(const Exchange *e, const char *prefix) {
    size_t n = strlen(prefix);

    return strncmp(e->route, prefix, n) == 0 && e->route[n] != '\0' ? e->route + n : NULL;
}

/* ---- the answer ---- */

static void reply_set(Exchange *e, unsigned status, char *body, const char *type) {
    reply_body_free(&e->reply);
    e->reply.status = status;
    e->reply.body = body;
    e->reply.size = body ? strlen(body) : 0;
    if (type)
        reply_header(e, "Content-Type", "%s", type);
}

void reply_json(Exchange *e, unsigned status, cJSON *take) {
    reply_set(e, status, must(cJSON_PrintUnformatted(take)), "application/json");
    cJSON_Delete(take);
}

void reply_error(Exchange *e, unsigned status, const char *format, ...) {
    _cleanup_free_ char *text = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        abort();
    va_end(ap);
    cJSON *j = must(cJSON_CreateObject());
    cJSON_AddStringToObject(j, "error", text);
    reply_json(e, status, j);
}

void reply_text(Exchange *e, unsigned status, const char *format, ...) {
    char *text = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        abort();
    va_end(ap);
    reply_set(e, status, text, "text/plain; charset=utf-8");
}

void reply_empty(Exchange *e, unsigned status) {
    reply_set(e, status, NULL, NULL);
}

void reply_header(Exchange *e, const char *name, const char *format, ...) {
    char *value = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&value, format, ap) < 0)
        abort();
    va_end(ap);
    for (size_t i = 0; i < e->reply.n_headers; i += 2)
        if (strcasecmp(e->reply.headers[i], name) == 0) {
            free(e->reply.headers[i + 1]);
            e->reply.headers[i + 1] = value;
            return;
        }
    e->reply.headers =
        must(realloc(e->reply.headers, (e->reply.n_headers + 2) * sizeof(*e->reply.headers)));
    e->reply.headers[e->reply.n_headers++] = must_copy(name);
    e->reply.headers[e->reply.n_headers++] = value;
}
