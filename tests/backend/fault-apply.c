/* The kinds of faults, and what each takes. All take "ms": so much later.
 *
 *     delay                        late, and then as it should be
 *     status         code 503, headers {}, retry_after, body
 *     garbage        body          200, and not JSON
 *     error-200      text          200 with an error
 *     redirect-loop                to itself
 *     redirect-to    url, code 302
 *     not-http       text          something else speaks on this port
 *     hang                         no answer
 *     endless                      a body without an end
 *     huge           bytes 50e6    JSON of that size, chunked or not
 *     wrong-types    how           JSON of the same look, see json_spoil()
 *     trickle        bytes 1, ms 20   piece by piece, with pauses
 *     short, reset, hang-body      after: so many bytes of the body, default half of it, and then
 *                    the connection is closed, or reset, or nothing more comes; reset with
 *                    "before": true comes instead of an answer
 *
 * The last five are done to the true answer: what was asked for has been done. */

#include <sys/socket.h>

#include "tests/backend/fault.h"
#include "tests/backend/memory.h"
#include "tests/backend/server.h"
#include "tests/backend/stream.h"
#include "tests/backend/wait.h"

#define HUGE_SIZE 50e6
#define TRICKLE_USEC (20 * USEC_PER_MSEC)

/* ---- instead of an answer ---- */

static FaultStep fault_status(Exchange *e) {
    const cJSON *header;
    unsigned code = (unsigned)json_number(e->fault, "code", 503);
    double retry_after = json_number(e->fault, "retry_after", -1);

    reply_error(e, code, "%s", json_string(e->fault, "text", "a fault on demand"));
    cJSON_ArrayForEach (header, cJSON_GetObjectItemCaseSensitive(e->fault, "headers"))
        reply_header(e, header->string, "%s", strempty(cJSON_GetStringValue(header)));
    if (retry_after >= 0)
        reply_header(e, "Retry-After", "%.0f", retry_after);
    if (json_string(e->fault, "body", NULL)) {
        free(e->reply.body);
        e->reply.body = must_copy(json_string(e->fault, "body", ""));
        e->reply.size = strlen(e->reply.body);
    }
    if (code == 204 || code == 304)
        reply_empty(e, code);
    return FAULT_REPLIED;
}

static FaultStep fault_garbage(Exchange *e) {
    reply_text(e, 200, "%s", json_string(e->fault, "body", "{\"status\": \"onl\xff\xfe <html>"));
    reply_header(e, "Content-Type", "application/json");
    return FAULT_REPLIED;
}

static FaultStep fault_error_200(Exchange *e) {
    reply_error(e, 200, "%s", json_string(e->fault, "text", "the database is down"));
    return FAULT_REPLIED;
}

static FaultStep fault_redirect_loop(Exchange *e) {
    reply_empty(e, 302);
    reply_header(e, "Location", "%s", e->path);
    return FAULT_REPLIED;
}

static FaultStep fault_redirect_to(Exchange *e) {
    reply_empty(e, (unsigned)json_number(e->fault, "code", 302));
    reply_header(e, "Location", "%s", json_string(e->fault, "url", "/"));
    return FAULT_REPLIED;
}

static FaultStep fault_not_http(Exchange *e) {
    const char *text = json_string(e->fault, "text", "SSH-2.0-OpenSSH_9.2\r\n");

    (void)!send(e->fd, text, strlen(text), MSG_NOSIGNAL);
    return FAULT_CLOSE;
}

static FaultStep fault_hang(Exchange *e) {
    wait_begin(e, USEC_INFINITY);
    return FAULT_WAITS;
}

static FaultStep fault_endless(Exchange *e) {
    reply_empty(e, 200);
    reply_header(e, "Content-Type", "application/json");
    e->reply.read = body_blanks;
    e->reply.size = UINT64_MAX;
    return FAULT_REPLIED;
}

/* Blanks, and at the end an object: it is JSON. */
static size_t body_huge(Exchange *e, uint64_t pos, char *buf, size_t max) {
    static const char object[] = "{\"status\":\"online\"}";
    size_t n = sizeof(object) - 1;
    uint64_t blanks = e->reply.size - n;

    if (pos < blanks)
        return body_blanks(e, pos, buf, MIN(max, blanks - pos));
    memcpy(buf, object + (pos - blanks), max);
    return max;
}

static FaultStep fault_huge(Exchange *e) {
    reply_empty(e, 200);
    reply_header(e, "Content-Type", "application/json");
    e->reply.read = body_huge;
    e->reply.size = (uint64_t)MAX(json_number(e->fault, "bytes", HUGE_SIZE), 100);
    e->delivery.chunked = json_bool(e->fault, "chunked", false);
    return FAULT_REPLIED;
}

static FaultStep fault_reset_before(Exchange *e) {
    if (!json_bool(e->fault, "before", false))
        return FAULT_NONE;
    socket_reset(e->fd);
    return FAULT_CLOSE;
}

/* ---- changes of an answer ---- */

static void deliver(Exchange *e, int end) {
    double after = json_number(e->fault, "after", -1);

    e->delivery.end = end;
    e->delivery.after = after < 0 ? e->reply.size / 2 : (uint64_t)after;
    if (e->reply.size == 0) /* there must be something that is cut */
        reply_json(e, 200, cJSON_CreateString("cut"));
}

static void fault_short(Exchange *e) {
    deliver(e, DELIVERY_SHORT);
}

static void fault_reset(Exchange *e) {
    deliver(e, DELIVERY_RESET);
}

static void fault_hang_body(Exchange *e) {
    deliver(e, DELIVERY_HANG);
}

static void fault_trickle(Exchange *e) {
    e->delivery.chunked = true;
    e->delivery.piece = (uint64_t)MAX(json_number(e->fault, "bytes", 1), 1);
    e->delivery.pause_usec = json_usec(e->fault, "ms", TRICKLE_USEC);
}

static void fault_wrong_types(Exchange *e) {
    cJSON *j = cJSON_Parse(strempty(e->reply.body));

    if (j)
        reply_json(e, e->reply.status, json_spoil(j, json_string(e->fault, "how", "values")));
}

/* ---- all of them ---- */

/* clang-format off */
static const struct {
    const char *name;
    FaultStep (*before)(Exchange *e);
    void (*after)(Exchange *e);
    bool ms_is_its_own;
} kinds[] = {
    {"delay"},
    {"status", fault_status},
    {"garbage", fault_garbage},
    {"error-200", fault_error_200},
    {"redirect-loop", fault_redirect_loop},
    {"redirect-to", fault_redirect_to},
    {"not-http", fault_not_http},
    {"hang", fault_hang},
    {"endless", fault_endless},
    {"huge", fault_huge},
    {"short", NULL, fault_short},
    {"reset", fault_reset_before, fault_reset},
    {"hang-body", NULL, fault_hang_body},
    {"trickle", NULL, fault_trickle, true},
    {"wrong-types", NULL, fault_wrong_types},
};
/* clang-format on */

static size_t kind_index(const char *name) {
    size_t i = 0;

    while (i < ELEMENTSOF(kinds) && !streq(kinds[i].name, name))
        i++;
    return i;
}

bool fault_kind_is_known(const char *kind) {
    return kind_index(kind) < ELEMENTSOF(kinds);
}

FaultStep fault_before(Exchange *e) {
    if (!e->fault)
        return FAULT_NONE;
    size_t i = kind_index(json_string(e->fault, "kind", ""));
    uint64_t usec = json_usec(e->fault, "ms", 0);
    if (usec > 0 && !e->delayed && !kinds[i].ms_is_its_own) {
        e->delayed = true;
        wait_begin(e, usec);
        return FAULT_WAITS;
    }
    return kinds[i].before ? kinds[i].before(e) : FAULT_NONE;
}

void fault_after(Exchange *e) {
    if (!e->fault)
        return;
    size_t i = kind_index(json_string(e->fault, "kind", ""));
    if (kinds[i].after)
        kinds[i].after(e);
}
